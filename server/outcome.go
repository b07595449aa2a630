package server

import (
	"context"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/reactor"
)

// MaxAwaited is how many messages of DeliverFunc and requests to one session may be outstanding.
const MaxAwaited = 256

var _ [0]struct{} = [MaxAwaited - reactor.MaxAwaited]struct{}{} // they are the same

// Result says how it went with a message of DeliverFunc or RequestFunc.
type Result uint8

// The results. Only Unsent says that the message did not arrive; with Lost nobody knows.
const (
	Acknowledged = Result(reactor.Acknowledged) // the client's application has dealt with it
	Refused      = Result(reactor.Refused)      // the client's application has refused it
	Lost         = Result(reactor.Lost)         // the session ended before the client said anything
	Unsent       = Result(reactor.Unsent)       // Server.DeliverFunc and RequestFunc: it could not be sent
	Replied      = Result(reactor.Replied)      // RequestFunc: the client's application has dealt with it, and replies
)

// String names the result.
func (r Result) String() string {
	switch r {
	case Acknowledged:
		return "acknowledged"
	case Refused:
		return "refused"
	case Lost:
		return "lost"
	case Unsent:
		return "unsent"
	case Replied:
		return "replied"
	default:
		return "unknown"
	}
}

// Outcome is what became of a message of DeliverFunc or RequestFunc.
type Outcome struct {
	Session Ref
	Number  uint64 // the message's on its connection, from 1 on, as the client saw it; 0: Unsent
	Result  Result
	What    uint8          // Acknowledged: what the client did with it, a word between the applications
	Code    codec.NackCode // Refused: any number, also one that Nack does not take (Code.ForApplications); Code.Again says whether it may be taken another time
	Reason  string         // Refused: the client's text for people
	Reply   []byte         // Replied: what the client says; valid until the function returns that is told
	End     Reason         // Lost: why the session ended
	Err     error          // Unsent: ErrClosed (the session has ended), or ErrWindow (no room)
}

// outcomeOf is the reactor's, for handlers.
func (a *application) outcomeOf(o *reactor.Outcome) Outcome {
	return Outcome{
		Session: a.ref(o.Handle),
		Number:  o.Number, Result: Result(o.Result), What: o.What,
		Code: o.Code, Reason: string(o.Reason), Reply: o.Reply, End: Reason(o.End), Err: o.Err,
	}
}

// await posts a message and waits for its outcome, or for the end of ctx. The reply is the caller's.
func await(ctx context.Context, post func(settled func(Outcome)) error) (Outcome, error) {
	if err := ctx.Err(); err != nil {
		return Outcome{}, err
	}
	outcomes := make(chan Outcome, 1)
	if err := post(func(o Outcome) {
		if o.Result == Replied {
			o.Reply = append([]byte{}, o.Reply...)
		}
		outcomes <- o
	}); err != nil {
		return Outcome{}, err
	}
	select {
	case o := <-outcomes:
		return o, o.Err
	case <-ctx.Done():
		return Outcome{}, ctx.Err()
	}
}
