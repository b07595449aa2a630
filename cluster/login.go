package cluster

// Login is a client's session at some node, as nodes tell each other.
type Login struct {
	ID, User string
	// Incarnation is the client's process; 0: it told none.
	Incarnation uint64
	// Attempt counts the connects of an incarnation. Of two logins of one incarnation the one with the higher is the
	// later, whatever their stamps say: a HELLO may be read late.
	Attempt uint32
	// Stamp orders the logins of the whole cluster: of two of one ID that are not of one incarnation, the greater is the later.
	Stamp uint64
}
