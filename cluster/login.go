package cluster

// Login is a client's session at some node, as nodes tell each other.
type Login struct {
	ID, User string
	// Incarnation is the client's process; 0: it told none.
	Incarnation uint64
	// Stamp orders the logins of the whole cluster: of two of one ID, the greater is the later.
	Stamp uint64
}
