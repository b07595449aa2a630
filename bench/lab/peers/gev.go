package peers

import (
	"github.com/Allenxuxu/gev"
	gevlog "github.com/Allenxuxu/gev/log"
	"github.com/Allenxuxu/ringbuffer"

	"github.com/stormwheel/stormwheel/bench/lab/bare"
)

// gevDesk is gev's handler and its protocol. Its answers are in the loop's UserBuffer.
type gevDesk struct{ *desk }

// serveGev has gev close who was idle for IdleTime.
func serveGev(t *Serve) (string, error) {
	addr, err := bare.Concrete(t.Listen)
	if err != nil {
		return "", err
	}
	gevlog.SetLevel(gevlog.LevelFatal) // each connection that a client resets is an error to it
	h := gevDesk{t.desk}
	s, err := gev.NewServer(h, gev.Network("tcp4"), gev.Address(addr), gev.NumLoops(t.Loops),
		gev.IdleTime(t.Timeout), gev.CustomProtocol(h))
	if err != nil {
		return "", err
	}
	go s.Start() // it listens already
	return addr, nil
}

func (h gevDesk) OnConnect(*gev.Connection) {}
func (h gevDesk) OnClose(*gev.Connection)   {}

// UnPacket answers all whole frames that are there; a frame that is cut off stays. What it
// returns goes through OnMessage to Packet at once, on the same loop.
func (h gevDesk) UnPacket(c *gev.Connection, in *ringbuffer.RingBuffer) (any, []byte) {
	b, end := in.PeekAll()
	if len(end) > 0 {
		b = append(append([]byte(nil), b...), end...)
	}
	out := c.UserBuffer()
	answers, used, err := h.answer((*out)[:0], b)
	*out = answers
	in.Retrieve(used)
	if err != nil {
		_ = c.Close()
		return nil, nil
	}
	if len(answers) == 0 {
		return nil, nil
	}
	return out, nil
}

func (h gevDesk) OnMessage(_ *gev.Connection, answers any, _ []byte) any { return answers }

// Packet gives bytes that gev copies before anything else happens on the loop.
func (h gevDesk) Packet(_ *gev.Connection, answers any) []byte { return *answers.(*[]byte) }
