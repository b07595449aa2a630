package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"

	"github.com/stormwheel/stormwheel/internal/link"
	"github.com/stormwheel/stormwheel/internal/transport"
)

// What the application's functions do is its own: they may return late or never, which neither ends the
// client nor keeps it from its end. One that panics, or ends its goroutine, ends the client with an error
// that says so: what the application knows may be half of what it should be.

// maxAbandoned bounds the calls of one function that have not returned though their attempts
// are over. The next attempt waits for one of them.
const maxAbandoned = 4

// errAbandoned is what an attempt fails of that found no room.
var errAbandoned = fmt.Errorf("%d earlier calls have not returned", maxAbandoned)

// PanicError says that a function of the application has panicked, or ended its goroutine, and which. Run
// returns the first.
type PanicError struct {
	Function string // the field of Config: "Deliver"
	Value    any    // what it panicked with; nil: it called runtime.Goexit
	Stack    []byte // of its goroutine, as runtime/debug.Stack tells it
}

// Error names the function and what it panicked with, in one line without the stack.
func (e *PanicError) Error() string {
	if e.Value == nil {
		return "client: " + e.Function + " ended its goroutine (runtime.Goexit)"
	}
	return fmt.Sprintf("client: %s panicked: %v", e.Function, e.Value)
}

// Unwrap is the value if that is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// calls are the calls of one of the application's functions: each holds a place until it
// returns.
type calls chan struct{}

func newCalls() calls { return make(calls, maxAbandoned) }

// begin waits for room.
func (s calls) begin(ctx context.Context) error {
	select {
	case s <- struct{}{}:
		return nil
	default:
	}
	select {
	case s <- struct{}{}:
		return nil
	case <-ctx.Done():
		return errAbandoned
	}
}

func (s calls) end() { <-s }

// drain waits until no call is under way, no longer than ctx.
func (s calls) drain(ctx context.Context) {
	for range cap(s) {
		if s.begin(ctx) != nil {
			return
		}
	}
}

// ask calls f, which has begun, on a goroutine of its own and waits for its result no longer
// than ctx. A result that comes later is dropped.
func ask[T any](ctx context.Context, c *Client, s calls, name string, f func() (T, error), drop func(T)) (T, error) {
	type result struct {
		value T
		err   error
	}
	results := make(chan result)
	go func() {
		defer s.end()
		var r result
		returned := false
		defer func() {
			if v := recover(); v != nil || !returned {
				r.err = c.failed(name, v)
				c.stop(r.err)
			}
			select {
			case results <- r:
			case <-ctx.Done():
				if r.err == nil {
					drop(r.value)
				}
			}
		}()
		r.value, r.err = f()
		returned = true
	}()
	select {
	case r := <-results:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// askToken asks the application for the credential. Whatever comes of it is not the node's doing.
func (c *Client) askToken(ctx context.Context) ([]byte, error) {
	if c.cfg.TokenSource == nil {
		return nil, nil
	}
	err := c.tokens.begin(ctx)
	var token []byte
	if err == nil {
		token, err = ask(ctx, c, c.tokens, "TokenSource", func() ([]byte, error) { return c.cfg.TokenSource(ctx) }, func([]byte) {})
	}
	if err != nil {
		return nil, &link.FaultError{Fault: link.FaultHost, Err: fmt.Errorf("TokenSource: %w", err)}
	}
	return token, nil
}

// askDial has the application make a connection. It has begun.
func (c *Client) askDial(ctx context.Context, addr string) (net.Conn, error) {
	nc, err := ask(ctx, c, c.dials, "Dial", func() (net.Conn, error) {
		network, addr := transport.Network(addr)
		nc, err := c.cfg.Dial(ctx, network, addr)
		if nc == nil && err == nil {
			err = errors.New("neither a connection nor an error")
		}
		return nc, err
	}, func(nc net.Conn) { nc.Close() })
	if err != nil {
		return nil, fmt.Errorf("Dial: %w", err)
	}
	return nc, nil
}

// call calls one of the callbacks and reports whether it went well. If not, it stops the client, after
// what is still to be said (nil: nothing), and it does not return if the callback ended the goroutine.
func (c *Client) call(name string, f, last func()) (well bool) {
	returned := false
	defer func() {
		if v := recover(); v != nil || !returned {
			err := c.failed(name, v)
			if last != nil {
				last()
			}
			c.stop(err)
		}
	}()
	f()
	returned = true
	return true
}

// failed tells of a function that panicked with v, or ended its goroutine (nil). That is never silent: not
// everybody looks at what Run returns, and it returns the first alone.
func (c *Client) failed(name string, v any) error {
	err := &PanicError{Function: name, Value: v, Stack: debug.Stack()}
	c.panics.Add(1)
	log := c.cfg.Logger
	if !c.logs {
		log = slog.Default()
	}
	log.Error("a function of the application failed", "error", err, "stack", string(err.Stack))
	return err
}
