// The one program of every pod that is not goose: with PORT it is an application that says it is healthy, without
// it is the process that holds a pod's namespaces. Either ends when it is asked to, and reaps orphans.
package main

import (
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if port := os.Getenv("PORT"); port != "" {
		http.HandleFunc("/health", func(answer http.ResponseWriter, _ *http.Request) { answer.WriteHeader(http.StatusNoContent) })
		go http.ListenAndServe(":"+port, nil)
	}
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGCHLD)
	for one := range signals {
		if one != syscall.SIGCHLD {
			return
		}
		for child := 1; child > 0; {
			child, _ = syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		}
	}
}
