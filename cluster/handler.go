package cluster

import "errors"

// ErrUnknownNode is what Node.Send returns for a node that is not live.
var ErrUnknownNode = errors.New("cluster: no such node is live")

// Handler is told what happens at other nodes: one call at a time, in the order of each sender. It must not
// block, and is called while no lock of the Node's is held, and never within a call of one of its methods. Nil
// functions are not called.
type Handler struct {
	Up     func(node string)          // a peer came, or came back as another epoch: then Down was called before
	Down   func(node string)          // its epoch is gone: all its logins are void, without a Logout each
	Login  func(node string, l Login) // also told for all its live sessions after Up. Where logins are told to homes, only of users whom Follow names, and of who has ended a session here
	Logout func(node string, l Login) // of a Login that was told, or of one that was not
	// Known is told for a user whom Node.Follow has asked a home about: all that it knows of him was told by Login; sure: and
	// that is all there is.
	Known   func(user string, sure bool)
	Message func(node string, body []byte) // what its hub sent; body is valid until it returns
}
