package server

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// A real kernel takes a long time's answers to heartbeats: that nobody reads them is noticed
// before one byte of them waits in user space.
func TestAPeerThatNeverReadsIsNoticedWhileTheKernelTakesAll(t *testing.T) {
	s := startNode(t, Config{Heartbeat: 2 * time.Second, Timeout: 5 * time.Second, Tick: 10 * time.Millisecond, WriteTimeout: 300 * time.Millisecond})
	conn, err := narrow.Dial("tcp", s.Addr())
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
