module gander/pod

go 1.25
