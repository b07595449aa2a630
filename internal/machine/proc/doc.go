// Package proc reads what a process costs and what the kernel counts, from Linux's /proc. A
// load generator asks it every second of every process, so it reads what it is asked for and
// nothing else; it keeps nothing. Any goroutine may call it. Elsewhere all of it is unknown.
//
// The server does not use it: what it needs of its own process is in package machine.
package proc
