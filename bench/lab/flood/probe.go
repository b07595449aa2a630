package flood

import (
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

const (
	// ProbePrefix is what the ids of probes begin with.
	ProbePrefix = "probe"
	// Probes is how many there are, and ProbeEvery how often one of them asks.
	Probes     = 16
	ProbeEvery = 2 * time.Millisecond
)

// Times are round trips of heartbeats, in milliseconds.
type Times []float64

// Figures are their percentiles, which are none if there was no heartbeat.
func (t Times) Figures() map[string]float64 {
	if len(t) == 0 {
		return nil
	}
	slices.Sort(t)
	return map[string]float64{"rtt_p50_ms": t[len(t)/2], "rtt_p99_ms": t[len(t)*99/100]}
}

// Prober is clients of a server that take turns to ask for a PONG. Owned by one goroutine.
type Prober struct {
	all  []net.Conn
	next int
	ping []byte
	buf  []byte
}

// NewProber brings them to a server.
func NewProber(target string) (*Prober, error) {
	p := &Prober{ping: codec.AppendPing(nil, 1, 0), buf: make([]byte, 4096)}
	for i := range Probes {
		conn, err := net.Dial("tcp", target)
		if err != nil {
			p.Close()
			return nil, err
		}
		p.all = append(p.all, conn)
		hello, _ := Hello(fmt.Sprint(ProbePrefix, i))
		if _, err := conn.Write(hello); err != nil {
			p.Close()
			return nil, err
		}
	}
	for _, conn := range p.all {
		if _, err := conn.Read(p.buf); err != nil {
			p.Close()
			return nil, err
		}
	}
	return p, nil
}

// Close ends them.
func (p *Prober) Close() {
	for _, conn := range p.all {
		_ = conn.Close()
	}
}

// Ask has the next of them ask, and tells how long that took in milliseconds, from the write on.
func (p *Prober) Ask() (ms float64, err error) {
	conn := p.all[p.next%len(p.all)]
	p.next++
	began := time.Now()
	if _, err = conn.Write(p.ping); err == nil {
		_, err = conn.Read(p.buf)
	}
	return time.Since(began).Seconds() * 1000, err
}

// Probe has clients ask while going says so, or until the first of them has no connection any more. Times
// for which counts says no, before or after, do not count.
func Probe(target string, going, counts func() bool) (rtts Times, err error) {
	p, err := NewProber(target)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	for ; going(); time.Sleep(ProbeEvery) {
		before := counts()
		ms, err := p.Ask()
		if err != nil && len(rtts) > 0 {
			return rtts, nil
		}
		if err != nil {
			return nil, err
		}
		if before && counts() {
			rtts = append(rtts, ms)
		}
	}
	return rtts, nil
}
