package server_test

import (
	"context"
	"errors"
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

// One session a client, wherever on the node: the newest login stays, and the client before it gives
// up. A client that comes back is the same, and takes its own place: what is kept of it goes on. Its
// old session's Closed may come later than the new one's Opened.
func ExampleDuplicates() {
	var mu sync.Mutex
	rooms := make(map[server.Ref]string)
	handler := server.Handler{
		Opened: func(s *server.Session) {
			mu.Lock()
			defer mu.Unlock()
			if previous, ok := s.Previous(); ok {
				rooms[s.Ref()] = rooms[previous]
			}
		},
		Closed: func(s *server.Session, _ server.Reason) {
			mu.Lock()
			defer mu.Unlock()
			delete(rooms, s.Ref())
		},
	}
	srv, err := server.New(server.Config{Listen: "127.0.0.1:0", Duplicates: server.Replace, Handler: handler})
	if err != nil {
		log.Fatal(err)
	}
	if err := srv.Start(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(srv.Lookup("alice"))
	fmt.Println(srv.Stop(context.Background()))
	// Output:
	// []
	// <nil>
}

// A message is settled when it is stored, which takes longer than a handler may.
func ExampleServer_Ack() {
	type job struct {
		from   server.Sender
		number uint64
		body   string
	}
	jobs := make(chan job, 1000)
	var srv *server.Server
	store := func() {
		for j := range jobs {
			fmt.Println("stored", j.body)
			for errors.Is(srv.Ack(j.from, j.number), server.ErrBusy) { // whatever has become of the connection
				time.Sleep(time.Millisecond)
			}
		}
	}
	var err error
	srv, err = server.New(server.Config{Handler: server.Handler{Message: func(s *server.Session, m server.Message) {
		select {
		case jobs <- job{s.Sender(), m.Number, string(m.Body)}:
		default:
			_ = s.Nack(m.Number, codec.NackBusy, "")
		}
	}}})
	if err != nil {
		log.Fatal(err)
	}
	go store() // and srv.Run(ctx)
}
