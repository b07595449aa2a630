package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/codec"
)

func Example() {
	ctx := context.Background()
	c, err := client.New(client.Config{
		Endpoints: []string{"127.0.0.1:7001", "127.0.0.1:7002"},
		ID:        "alice",
		Deliver:   func(m client.Message) { fmt.Printf("got %s\n", m.Body) },
		Settled:   func(number uint64, o client.Outcome) { fmt.Println("message", number, o.Err) },
	})
	if err != nil {
		log.Fatal(err)
	}
	go c.Send(ctx, []byte("hello")) // waits for the session
	log.Fatal(c.Run(ctx))           // until ctx ends or a server ends the client for good
}

// An exchange in which each side hears what became of its messages. What is sent again by another
// Client has another number: the key in the body, "order 17", is what the server knows it by.
func Example_acknowledged() {
	ctx := context.Background()
	store := func(m client.Message, body []byte) {
		if err := os.WriteFile("inbox", body, 0o600); err != nil {
			_ = m.Nack(codec.NackBusy, "not now") // its server may send it another time
			return
		}
		if err := m.Ack(); errors.Is(err, client.ErrAnswered) {
			fmt.Println("the connection has gone: the server may send it again")
		}
	}
	keep := func(body []byte) { fmt.Printf("for the next start: %s\n", body) }

	var c *client.Client
	c, err := client.New(client.Config{
		Endpoints: []string{"127.0.0.1:7000"},
		ID:        "alice",
		Deliver: func(m client.Message) {
			m.AckLater()                     // else the return of Deliver acknowledges
			go store(m, bytes.Clone(m.Body)) // it calls m.Ack or m.Nack
		},
		Settled: func(number uint64, o client.Outcome) { // of Send; SendAcked returns it
			var refused *client.RefusedError
			if errors.As(o.Err, &refused) && refused.Again() {
				time.AfterFunc(time.Second, func() { c.Send(ctx, o.Body) }) // as a new message
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- c.Run(ctx) }()
	if _, err := c.Send(ctx, []byte("order 17: two")); err != nil { // nil: written, and not yet settled
		log.Print(err) // nothing was sent
	}
	if err := c.SendAcked(ctx, []byte("order 18: one")); err != nil { // nil: the server's application has it
		log.Print(err)
	}
	c.Close()
	<-ran
	for _, m := range c.Unsent() { // perhaps arrived: "order 17" lets the server know it again
		keep(m.Body)
	}
}

// The README shows the middle of that.
func TestReadmeShowsTheExample(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(source), "\tvar c *client.Client\n")
	block, _, _ = strings.Cut("\tvar c *client.Client\n"+block, "\n}\n")
	want := strings.ReplaceAll("\n"+block, "\n\t", "\n    ")
	want = strings.ReplaceAll(want, "\t", "    ")
	if !strings.Contains(string(readme), want+"\n") {
		t.Errorf("README.md does not show%s", want)
	}
}
