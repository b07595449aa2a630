// Package netstage puts a stage of package transport into a net.Conn: what is read of it is plain,
// and what is written to it is sealed. It is the client's side, a connection at a time and with a
// goroutine each to read and to write; a loop has its own.
package netstage
