// Package hook has a back end in any language own a node's rules: by HTTP it is asked who may come in and
// what clients may do, and told what happens to users and their queues. docs/HOOKS.md is the contract.
//
// A BackEnd is an Authenticator of server, a Policy and a listener to the Events of messaging, each where
// it is put:
//
//	rules, err := hook.New(hook.Config{URL: "https://app.example/hook", Secrets: secrets})
//	hub, err := messaging.New(messaging.Config{Policy: rules.Policy, Events: rules.Event})
//	srv, err := server.New(server.Config{Auth: rules, Handler: hub.Handler()})
//	err = srv.Start()
//	rules.Start(srv.Node())
//	...
//	err = hub.Close(ctx)   // when the server has ended
//	err = rules.Close(ctx) // tells the last events
//
// Only the answer that the contract describes decides anything. A back end that is down, slow, redirects,
// answers with an error or with what is no answer has clients told to try later; it never lets one in.
// No call is made on an event loop, and each kind has connections of its own, so that none waits for
// another.
package hook
