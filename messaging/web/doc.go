// Package web lets the back end of an application talk to a node over HTTP: it sends messages to users, to rooms
// and to all, sees who is connected, what waits for whom and who is in which room, and ends or moves sessions.
//
//	hub, err := messaging.New(messaging.Config{Store: store})
//	node, err := server.New(server.Config{Listen: "0.0.0.0:7000", Handler: hub.Handler()})
//	...
//	http.Handle("/v1/", web.New(hub, node, web.Config{}))
//	err = http.ListenAndServe("127.0.0.1:7001", nil)
//
// openapi.yaml beside this file describes every path, and GET /v1/openapi.yaml serves it; tests hold it to the
// handler. Names stand in paths with their escapes: the client "bob/phone" is of the user "bob", and a room "a/b"
// is /v1/rooms/a%2Fb. (An http.ServeMux before it redirects a path with two slashes in a row, or with dots.)
//
// # Who may ask
//
// Who shows a token, or, where none is configured, who asks on this machine by localhost or a loopback address. A
// token goes over the wire as it is: beyond loopback, put TLS in front. What changes something wants JSON by its
// name, so that no page in a browser can send it.
//
// # What an answer means
//
// A push to a user is answered when its outcome is known, within 5 s: "delivered", "durable" or "held" (in memory,
// which is no promise), or an error that says why it was refused, and whether another time may do. Where nobody waits
// so long it is "pending". No answer means that nobody knows: push it again with the same Idempotency-Key, and it is
// one message. Keys are kept in memory, and lost with the process; but the message's id follows from the key, so
// that receivers who know it drop the second.
//
// The policy of the hub and the rates of users do not hold for back ends.
package web
