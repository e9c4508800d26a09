// What goose itself makes of migration files and folders, as JSON: the peer of the differential tests.
//
// Each JSON value on standard input is a request, and gets its answer on standard output before the next is read.
// A request holds a file ("data", base64, with the environment that goose is to see) or a folder ("dir").
package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"os"
	"path/filepath"
	"testing/fstest"

	"github.com/pressly/goose/v3"
)

type request struct {
	Data        []byte            `json:"data"`
	Environment map[string]string `json:"environment"`
	Dir         string            `json:"dir"`
}

type run struct {
	Statements  [][]byte `json:"statements"`
	Transaction bool     `json:"transaction"`
	Error       string   `json:"error"`
}

type source struct {
	Version int64  `json:"version"`
	Name    string `json:"name"`
}

type answer struct {
	Up      *run     `json:"up,omitempty"`
	Down    *run     `json:"down,omitempty"`
	Sources []source `json:"sources,omitempty"`
	Error   string   `json:"error,omitempty"`
}

// recorder is a database/sql driver and its one connection: it keeps what arrives and refuses nothing.
type recorder struct{ run *run }

func (r *recorder) Open(string) (driver.Conn, error)             { return r, nil }
func (r *recorder) Connect(context.Context) (driver.Conn, error) { return r, nil }
func (r *recorder) Driver() driver.Driver                        { return r }
func (r *recorder) Prepare(string) (driver.Stmt, error)          { return nil, errors.New("not prepared") }
func (r *recorder) Close() error                                 { return nil }
func (r *recorder) Commit() error                                { return nil }
func (r *recorder) Rollback() error                              { return nil }
func (r *recorder) Begin() (driver.Tx, error)                    { r.run.Transaction = true; return r, nil }
func (r *recorder) ExecContext(_ context.Context, query string, arguments []driver.NamedValue) (driver.Result, error) {
	if len(arguments) == 0 { // goose's own record of the version is the one statement with arguments
		r.run.Statements = append(r.run.Statements, []byte(query))
	}
	return driver.ResultNoRows, nil
}

// guarded turns a panic into an error: goose's command would end with a stack trace there.
func guarded(do func() error) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("panic: %v", reason)
		}
	}()
	return do()
}

func migrate(data []byte, up bool) *run {
	result := &run{Statements: [][]byte{}}
	db := sql.OpenDB(&recorder{run: result})
	defer db.Close()
	goose.SetBaseFS(fstest.MapFS{"1_case.sql": &fstest.MapFile{Data: data}})
	migration := &goose.Migration{Version: 1, Source: "1_case.sql"}
	err := guarded(func() error {
		if up {
			return migration.Up(db)
		}
		return migration.Down(db)
	})
	if err != nil {
		result.Error = err.Error()
	}
	return result
}

func collect(dir string) answer {
	goose.SetBaseFS(nil) // the file system itself, as in goose's command
	var found goose.Migrations
	err := guarded(func() (err error) {
		found, err = goose.CollectMigrations(dir, 0, math.MaxInt64)
		return err
	})
	if err != nil {
		return answer{Error: err.Error()}
	}
	sources := make([]source, len(found))
	for i, migration := range found {
		sources[i] = source{Version: migration.Version, Name: filepath.Base(migration.Source)}
	}
	return answer{Sources: sources}
}

func respond(to request) answer {
	if to.Dir != "" {
		return collect(to.Dir)
	}
	os.Clearenv()
	for name, value := range to.Environment {
		if err := os.Setenv(name, value); err != nil {
			log.Fatal(err)
		}
	}
	return answer{Up: migrate(to.Data, true), Down: migrate(to.Data, false)}
}

func main() {
	goose.SetLogger(goose.NopLogger())
	if err := goose.SetDialect("postgres"); err != nil {
		log.Fatal(err)
	}
	requests, answers := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var one request
		if err := requests.Decode(&one); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			log.Fatal(err)
		}
		if err := answers.Encode(respond(one)); err != nil {
			log.Fatal(err)
		}
	}
}
