package server_test

import (
	"context"
	"fmt"
	"log"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
)

// A node that hands its clients over: the first signal drains, which ends by itself, and a second
// one, or a deadline, stops at once.
func ExampleServer_Drain() {
	srv, err := server.New(server.Config{Listen: "127.0.0.1:0", Alternates: []string{"10.0.0.2:7000"}})
	if err != nil {
		log.Fatal(err)
	}
	first, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := srv.Start(); err != nil {
		log.Fatal(err)
	}
	go func() {
		<-first.Done()
		hard, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		second, stop := signal.NotifyContext(hard, syscall.SIGTERM)
		defer stop()
		if err := srv.Drain(second); err != nil {
			log.Print(err)
		}
	}()
	syscall.Kill(syscall.Getpid(), syscall.SIGTERM) // as the supervisor would
	fmt.Println(srv.Wait())
	// Output: <nil>
}

// A message that must not be lost: what became of it decides what happens to it next. One function
// may settle all messages, since the outcome names session and number.
func ExampleServer_DeliverFunc() {
	var srv *server.Server
	send := func(to server.Ref, body []byte, keep func([]byte)) error {
		return srv.DeliverFunc(to, body, func(o server.Outcome) {
			switch {
			case o.Result == server.Acknowledged:
				return // it is safe in the client's application
			case o.Result == server.Refused && !o.Code.Again():
				log.Printf("refused: %v %s", o.Code, o.Reason)
			default: // refused for now, lost, or not sent
				keep(body)
			}
		})
	}
	srv, err := server.New(server.Config{Listen: "127.0.0.1:0"})
	if err != nil {
		log.Fatal(err)
	}
	if err := srv.Start(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(send(server.Ref{}, []byte("hello"), nil) != nil)
	fmt.Println(srv.Stop(context.Background()))
	// Output:
	// true
	// <nil>
}

// One session a client: the newest stays. Of two sessions of one incarnation the later attempt is
// the newer, even if its HELLO was read first, and the other is superseded: its client has come
// back, or is about to leave it in a handover. Another incarnation is another process, which
// replaces: that one gives up.
func ExampleSession_Attempt() {
	var mu sync.Mutex
	type holder struct {
		id          server.Ref
		incarnation uint64
		attempt     uint32
	}
	newest := make(map[string]holder)
	var srv *server.Server
	handler := server.Handler{
		Opened: func(s *server.Session) {
			mu.Lock()
			defer mu.Unlock()
			old, had := newest[s.ID()]
			same := had && old.incarnation == s.Incarnation() && old.incarnation != 0
			if same && old.attempt > s.Attempt() {
				_ = s.Close(codec.CodeSuperseded)
				return
			}
			newest[s.ID()] = holder{s.Ref(), s.Incarnation(), s.Attempt()}
			switch {
			case same:
				_ = srv.Close(old.id, codec.CodeSuperseded)
			case had:
				_ = srv.Close(old.id, codec.CodeReplaced)
			}
		},
		Closed: func(s *server.Session, _ server.Reason) {
			mu.Lock()
			defer mu.Unlock()
			if newest[s.ID()].id == s.Ref() {
				delete(newest, s.ID())
			}
		},
	}
	srv, err := server.New(server.Config{Listen: "127.0.0.1:0", Handler: handler})
	if err != nil {
		log.Fatal(err)
	}
	if err := srv.Start(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(srv.Stop(context.Background()))
	// Output: <nil>
}
