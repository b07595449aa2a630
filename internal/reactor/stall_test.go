package reactor

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// What a slow link takes is progress, however much of it our own kernel holds.
func TestSteadySlowReaderIsNoWriteStall(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.join()
	p.blocked = true // nothing leaves our own buffer: the kernel's drains
	p.unsent = 128 << 10
	n.r.Deliver(slot, make([]byte, 40<<10))
	n.r.flush(slot)
	for range 40 {
		n.run(time.Second)
		p.unsent -= 3000
		n.send(slot, codec.AppendPing(nil, 1, 0))
		if p.aborted {
			t.Fatalf("ended with %d bytes left of 128 KiB, though 3000 went every second", p.unsent)
		}
	}
	n.run(11 * time.Second)
	n.send(slot, codec.AppendPing(nil, 1, 0))
	n.run(10 * time.Second)
	if !p.aborted {
		t.Fatal("a peer that has stopped reading is kept")
	}
	n.wantClosed(ReasonWriteStall, 1)
}

// A trickle is no progress, as for frames on their way in.
func TestReaderBelowThePromisedRateIsCut(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.join()
	p.blocked = true
	p.unsent = 60 << 10
	n.r.Deliver(slot, make([]byte, 40<<10))
	n.r.flush(slot)
	for range 12 {
		n.run(time.Second)
		p.unsent -= 100
		if !p.aborted {
			n.send(slot, codec.AppendPing(nil, 1, 0))
		}
	}
	n.wantClosed(ReasonWriteStall, 1)
}

// Kernels hold the answers to many heartbeats; who sends them and reads none is noticed.
func TestPeerThatHeartbeatsAndNeverReadsIsNoticedByWhatOurKernelHolds(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.join()
	for range 30 {
		if p.aborted {
			break
		}
		n.send(slot, codec.AppendPing(nil, 1, 0))
		p.unsent = len(p.in)
		n.run(9 * time.Second)
	}
	if !p.aborted || p.queued != 0 {
		t.Fatalf("aborted %v, want it noticed with an empty queue of ours", p.aborted)
	}
	n.wantClosed(ReasonWriteStall, 1)
}

// Who is out of reach for a while takes nothing and says nothing: that is for the heartbeat to
// judge, not for the write timeout.
func TestSilentPeerIsNotJudgedByWhatOurKernelHolds(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.join()
	n.run(70 * time.Second)
	n.send(slot, codec.AppendPing(nil, 1, 0))
	p.unsent = 40
	n.r.watch(slot)
	n.run(70 * time.Second)
	if p.aborted {
		t.Fatal("ended within its timeout")
	}
	p.unsent = 0
	n.send(slot, codec.AppendPing(nil, 1, 0))
	n.run(30 * time.Second)
	if p.aborted || n.r.sessions.at(slot).is(watched) {
		t.Fatalf("aborted %v, watched %v after it has taken all", p.aborted, n.r.sessions.at(slot).is(watched))
	}
	if n.r.sessions.at(slot).extra != 0 {
		t.Error("the extra is kept")
	}
}

// What the peer's kernel takes says nothing about the peer.
func TestWhatIsTakenPostponesNoHeartbeat(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.join()
	p.blocked, p.unsent = true, 1<<20
	n.r.Deliver(slot, make([]byte, 40<<10))
	n.r.flush(slot)
	for range 80 {
		n.run(time.Second)
		p.unsent -= 3000
	}
	n.wantClosed(ReasonHeartbeatTimeout, 1)
}

// A frame that moves at the least rate is given its time from its first byte on, not only from
// the end of its first window; one that stops is not.
func TestFrameAtTheLeastRatePostponesTheHeartbeat(t *testing.T) {
	for _, moves := range []bool{true, false} {
		n := newNode(t, rigConfig{Heartbeat: 2 * time.Second, Timeout: 5 * time.Second, Tick: 100 * time.Millisecond})
		slot, p := n.join()
		n.run(4 * time.Second)
		frame := codec.AppendSend(nil, 1, make([]byte, 12<<10))
		began := n.now
		for sent := 0; sent < len(frame) && !p.aborted && !p.finished; {
			size := min(450, len(frame)-sent)
			if moves || sent == 0 {
				sent += size
			}
			if sent == len(frame) {
				n.send(slot, frame)
				p.held = 0
				break
			}
			n.r.receive(n.now, slot, frame[:sent])
			p.held = sent
			n.run(time.Second)
		}
		if ended := p.aborted || p.finished; ended == moves {
			t.Errorf("moves %v: ended %v after %v", moves, ended, n.now-began)
		}
		if took := n.now - began; !moves && took > 5*time.Second {
			t.Errorf("a frame that stopped kept its session for %v", took)
		}
	}
}

// A frame is granted no more time than its length takes at the least rate.
func TestTheTimeOfAFrameIsBounded(t *testing.T) {
	n := newNode(t, rigConfig{Heartbeat: 2 * time.Second, Timeout: 5 * time.Second, Tick: 100 * time.Millisecond})
	slot, p := n.join()
	frame := codec.AppendSend(nil, 1, make([]byte, 12<<10))
	began := n.now
	for sent := 400; !p.aborted && !p.finished; sent++ { // all but the last byte, for ever
		p.held = min(sent, len(frame)-1)
		n.r.receive(n.now, slot, frame[:p.held])
		n.run(time.Second / 400)
		if n.now-began > 2*time.Minute {
			t.Fatal("a frame that never ends keeps its session")
		}
	}
	if took, most := n.now-began, time.Duration(len(frame)/minProgress+2)*n.r.cfg.PartialTimeout; took > most {
		t.Errorf("kept for %v, want %v at most", took, most)
	}
}

// Messages that wait for a client on a slow link come before its goodbye, and the goodbye comes.
func TestASlowReaderGetsAllBeforeItsGoodbye(t *testing.T) {
	for _, blocked := range []bool{true, false} {
		slowGoodbye(t, blocked)
	}
}

// slowGoodbye has part of what is queued wait in user space, or all of it in the kernel.
func slowGoodbye(t *testing.T, blocked bool) {
	n := newNode(t, rigConfig{})
	slot, p := n.join()
	p.blocked, p.unsent = blocked, 64<<10
	n.r.Deliver(slot, make([]byte, 40<<10))
	n.r.flush(slot)
	n.r.kick = codec.CodeKicked
	n.r.sendAway(slot, ReasonKicked, linger)
	for p.queued > 0 || p.unsent > 0 {
		n.run(time.Second)
		if p.aborted || p.closed {
			t.Fatalf("ended with %d and %d bytes left", p.queued, p.unsent)
		}
		if p.queued = max(0, p.queued-3000); p.queued == 0 {
			p.unsent = max(0, p.unsent-3000)
		}
	}
	if goAwayCode(t, p) != codec.CodeKicked || !p.finished {
		t.Fatalf("finished %v, want the notice and FIN behind the messages", p.finished)
	}
	n.run(10 * time.Second)
	if !p.closed || p.aborted {
		t.Errorf("closed %v, aborted %v; want it closed without RST, since all was taken", p.closed, p.aborted)
	}
}
