package server

// Message is a SEND of a client, as its handler gets it.
type Message struct {
	// Number settles it, with the client's id and incarnation; 0: the client wants no answer.
	Number uint64
	// Body is valid until the handler returns.
	Body []byte
	// WantsReply says that the client waits for a reply to it: Session.Reply, at once, or
	// Server.Reply. To acknowledge or to refuse it answers it, too.
	WantsReply bool
}
