package server

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stormwheel/stormwheel/codec"
)

// Methods that are called from a wrong goroutine, all the time, reach their own client at most.
func TestASessionUsedFromAWrongGoroutineReachesItsOwnClientOnly(t *testing.T) {
	var kept atomic.Pointer[Session]
	s := startNode(t, Config{Loops: 1, MaxFrameRate: -1, Handler: Handler{Message: func(s *Session, m Message) {
		if string(m.Body) == "keep me" {
			kept.Store(s)
		}
		_ = s.Ack(m.Number)
	}}})
	own, _ := joinNode(t, s, "own")
	other, _ := joinNode(t, s, "other")
	own.send(codec.AppendSend(nil, 1, []byte("keep me")))
	own.want(codec.Ack)
	stop := make(chan struct{})
	var wrong sync.WaitGroup
	wrong.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				_ = kept.Load().Deliver([]byte("wrong"))
				_ = kept.Load().ID()
				runtime.Gosched() // the others have one processor, perhaps
			}
		}
	})
	for range 100 {
		own.send(codec.AppendSend(nil, 1, []byte("x")))
		other.send(codec.AppendSend(nil, 1, []byte("x")))
		for {
			f, err := own.next()
			if err != nil {
				t.Fatal(err)
			}
			if f.Type == codec.Ack {
				break
			}
		}
		other.want(codec.Ack)
	}
	close(stop)
	wrong.Wait()
}
