package server

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/siege"
)

// A real kernel takes a long time's answers to heartbeats: that nobody reads them is noticed
// before one byte of them waits in user space.
func TestAPeerThatNeverReadsIsNoticedWhileTheKernelTakesAll(t *testing.T) {
	s := startNode(t, Config{Heartbeat: 2 * time.Second, Timeout: 5 * time.Second, Tick: 10 * time.Millisecond, WriteTimeout: 300 * time.Millisecond})
	conn, err := siege.Narrow.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.Write(helloFrame("deaf"))
	eventually(t, "it is in", func() bool { return s.Stats().Sessions == 1 })
	ping := codec.AppendPing(nil, 1, 0)
	queued := int64(0)
	eventually(t, "it is noticed", func() bool {
		conn.Write(ping)
		st := s.Stats()
		queued = max(queued, st.Queued)
		return st.Closes[ReasonWriteStall] == 1
	})
	if queued > 0 {
		t.Errorf("%d bytes waited in user space: the kernel did not take all, so nothing was put to the test", queued)
	}
}

// A real kernel takes our bytes in steps that are longer than a slow reader needs for the least
// that it must take: what counts is what the reader's kernel took.
func TestARealSlowReaderIsNoWriteStall(t *testing.T) {
	ids := make(chan Ref, 1)
	s := startNode(t, Config{WriteTimeout: 2 * time.Second, Tick: 20 * time.Millisecond, Handler: Handler{Opened: opened(ids)}})
	conn, err := siege.Narrow.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(40 * time.Second))
	conn.Write(helloFrame("slow"))
	id := <-ids
	for range 6 {
		if err := s.Deliver(id, make([]byte, 40<<10)); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "much waits in user space", func() bool { return s.Stats().Queued > 64<<10 })
	// 16 KB a second for four times the write timeout; the rest at once.
	read, want := 0, 6*(40<<10)
	b := make([]byte, 800)
	for began := time.Now(); read < want; {
		n, err := conn.Read(b)
		if err != nil {
			t.Fatalf("%v after %d bytes in %v; closes %v", err, read, time.Since(began), s.Stats().Closes)
		}
		if read += n; time.Since(began) < 8*time.Second {
			time.Sleep(50 * time.Millisecond)
		}
	}
}
