// Package swarm is very many clients in one process: each an internal/link over a
// non-blocking socket, all of them on a few epoll loops with a timing wheel each. A ready and
// heartbeating client takes about 500 bytes of user memory, and no goroutine.
//
//	s, err := swarm.New(swarm.Config{Endpoints: targets, Conns: 10_000, Rate: 1000, Seed: 1})
//	s.Start(swarm.Monotonic())
//	...
//	t := s.Finish() // ends all clients, and says what they have seen
//
// A fleet drives it by Do, which carries out one Order, in this process or in a worker's; the other
// methods are what orders are made of.
//
// A loop owns its clients, their sockets and its counts. What others want of them they have it do
// (loop.call); what it tells, it publishes every PublishEvery.
//
// Files: loop.go turns, conn.go carries out what links want, read.go and write.go move bytes,
// notify.go counts what links tell, send.go and publications.go are what clients carry beside heartbeats, users.go, talk.go and hear.go what they tell each other, last_write.go says what a close by the server means.
package swarm
