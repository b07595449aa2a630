// Package talk is the client's half of package messaging, over a client.Client: messages to users and
// rooms with what became of them, rooms that are joined again after a loss from where they were, and
// duplicates that are dropped.
//
//	t, err := talk.New(talk.Config{
//		Client:  client.Config{Endpoints: []string{"10.0.0.1:7000"}, ID: "alice/phone"},
//		Message: func(m *talk.Message) { fmt.Printf("%s: %s\n", m.From, m.Content) },
//	})
//	if err != nil { ... }
//	go t.Run(ctx)
//	o, err := t.SendAcked(ctx, "bob", []byte("hi"), talk.Options{}) // o.State: Delivered, Durable, ...
//
// The callbacks of Config are called one at a time, by Run. Every method may be called from any
// goroutine, callbacks included.
//
// # What it remembers
//
// A node may deliver a message again: it did not see the acknowledgement. A Talk drops what it has seen:
// it knows the last 1,024 ids, or those of the last five minutes if these are more, 16,384 at most. What
// may have come before that is marked, see Message.PossiblyKnown. An application that must not see a
// message twice after its own restart keeps the ids: see Keeper.
//
// It remembers for each room the position up to which it has heard, and joins from there in every new
// session: Config.Missed tells where something is gone for good.
package talk
