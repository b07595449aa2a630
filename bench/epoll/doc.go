// Package epoll is non-blocking TCP sockets by raw system calls, and a poller for very many of them:
// what a swarm needs of Linux. Elsewhere all of it fails with an error that says so.
//
// The calls go around the Go scheduler, which otherwise hands a processor on with each of them;
// raw_linux.go says why that is safe here. A Poller belongs to one goroutine, but for Wake.
package epoll
