package client_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/client"
)

// What may be asked twice without harm is asked until there is an answer.
func ExampleClient_Request() {
	ask := func(ctx context.Context, c *client.Client, question []byte) ([]byte, error) {
		for {
			try, cancel := context.WithTimeout(ctx, 10*time.Second)
			reply, err := c.Request(try, question)
			cancel()
			var refused *client.RefusedError
			switch {
			case ctx.Err() != nil, errors.As(err, &refused) && !refused.Again():
				return nil, err
			case errors.As(err, &refused), errors.Is(err, client.ErrNoReply), errors.Is(err, context.DeadlineExceeded):
				time.Sleep(time.Second)
			default:
				return reply, err
			}
		}
	}
	_ = ask
}

// A client that answers what its server asks.
func ExampleMessage_Reply() {
	cfg := client.Config{
		Endpoints: []string{"127.0.0.1:7000"},
		ID:        "alice",
		Deliver: func(m client.Message) {
			if m.WantsReply {
				if err := m.Reply(fmt.Append(nil, "it is ", time.Now())); err != nil {
					fmt.Println("the server hears nothing:", err)
				}
			}
		},
	}
	_ = cfg
}
