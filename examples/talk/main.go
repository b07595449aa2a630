// Talk is a user at a node that carries messages (stormwheel serve --messages memory): what is typed
// goes to one other user, a line after the other, with what became of it, and what comes is shown. It ends with
// its input.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/messaging/talk"
)

func main() {
	server := flag.String("server", "127.0.0.1:7000", "address of the node")
	id := flag.String("id", "", "who you are")
	to := flag.String("to", "", "with whom you talk")
	flag.Parse()
	t, err := talk.New(talk.Config{
		Client:  client.Config{Endpoints: []string{*server}, ID: *id},
		Message: func(m *talk.Message) { fmt.Printf("< %s: %s\n", m.From, m.Content) }, // its return acknowledges
		Receipt: func(r talk.Receipt) { fmt.Printf("  %s has what you sent before\n", r.To) },
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- t.Run(ctx) }()
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		wait, done := context.WithTimeout(ctx, 30*time.Second)
		o, err := t.SendAcked(wait, *to, in.Bytes(), talk.Options{})
		done()
		switch {
		case err != nil: // nobody knows: it may still arrive
			fmt.Printf("  unsettled: %v\n", err)
		case o.State == talk.Refused:
			fmt.Printf("  refused: %s\n", o.Reason)
		default: // delivered, durable or held
			fmt.Printf("  %s\n", o.State)
		}
	}
	stop()
	<-ran
}
