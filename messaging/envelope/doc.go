// Package envelope is what travels in the bodies of SEND and DELIVER between package messaging and
// its clients: messages to users and rooms, what is said of rooms, receipts, presence, questions.
// docs/MESSAGING.md is its contract with clients in other languages, and this package's tests read it.
//
//	body, err := envelope.Append(nil, &envelope.Envelope{
//		Kind: envelope.ToUser, User: []byte("bob"), Content: []byte("hi"),
//	})
//
//	e, err := envelope.Parse(body)
//	// e.Kind, e.User, e.Content: views into body
//
// It is pure: no clock, no I/O, no state. Append and Parse allocate nothing but what Append needs to
// grow dst, and errors.
package envelope
