package main

import (
	"github.com/stormwheel/stormwheel/server"
)

// application is what the node of this command does with messages. It carries them between users if it is
// told to; else it acknowledges those of clients, and sends them back before, unless it is told not to; and it
// publishes, if it is told to.
type application struct {
	messages  *messages // nil: none
	echo      bool
	publisher *publisher // nil: none
}

func (a *application) handler() server.Handler {
	if a.messages != nil {
		return a.messages.hub.Handler()
	}
	h := server.Handler{Message: a.message}
	if a.publisher != nil {
		h.Opened = a.publisher.opened
	}
	return h
}

// message sends a message back and then acknowledges it, so that a client that waits for its ACKs
// has seen its answers. A session that cannot take the answer is being closed by the server.
func (a *application) message(s *server.Session, m server.Message) {
	if !a.echo || s.Deliver(m.Body) == nil {
		_ = s.Ack(m.Number)
	}
}

// start begins to publish. stop ends that, and returns when it has ended.
func (a *application) start(srv *server.Server) (stop func()) {
	if a.publisher == nil {
		return func() {}
	}
	return a.publisher.start(srv)
}
