// Package admin answers operators over HTTP: is the node alive, is it ready for clients, what
// are its numbers.
//
//	/livez    200; 503 when an event loop is stuck: restart the node
//	/readyz   200; 503 while new clients should go elsewhere
//	/stats    Server.Stats as JSON, and what Config.Stats has
//	/metrics  the same for Prometheus, with the figures of the Go runtime and of the process
//	/settings what may change while the node runs, as JSON, if Config.Settings is there
//
// Everything is GET, changes nothing and names no client, but for PATCH /settings. There is no
// authentication: mount it where only operators reach it, which is not the clients' port. In a mux that there is already
// that is Handler:
//
//	mux.Handle("/edge/", http.StripPrefix("/edge", admin.Handler(srv, admin.Config{})))
//
// and on a listener of its own NewServer, which takes few descriptors from the clients:
//
//	listener, err := net.Listen("tcp", "127.0.0.1:7001")
//	...
//	go admin.NewServer(srv, admin.Config{}).Serve(listener)
//
// It is apart from package server so that an embedder who wants none of it does not link the
// Prometheus client. Who has one registry for all metrics of his process takes package prom
// instead.
package admin
