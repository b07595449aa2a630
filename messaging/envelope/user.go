package envelope

import "bytes"

// UserOf returns whose device a client id is: what stands before its first "/".
func UserOf(clientID []byte) []byte {
	user, _, _ := bytes.Cut(clientID, []byte("/"))
	return user
}

// From returns the user that sent a Message or a Publication: User, or, where a node left that out, the
// user of the sender's client id.
func (e *Envelope) From() []byte {
	if len(e.User) > 0 {
		return e.User
	}
	return UserOf(e.ID.Sender)
}
