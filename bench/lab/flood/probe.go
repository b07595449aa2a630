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

// Probe is clients that take turns to ask for a PONG, from the write on, while going says so, or until
// the first of them has no connection any more. Those for which counts says no, before or after, do not.
func Probe(target string, going, counts func() bool) (rtts Times, err error) {
	var all []net.Conn
	for i := range Probes {
		conn, err := net.Dial("tcp", target)
		if err != nil {
			return nil, err
		}
		defer conn.Close()
		hello, _ := Hello(fmt.Sprint(ProbePrefix, i))
		if _, err := conn.Write(hello); err != nil {
			return nil, err
		}
		all = append(all, conn)
	}
	buf := make([]byte, 4096)
	for _, conn := range all {
		if _, err := conn.Read(buf); err != nil {
			return nil, err
		}
	}
	ping := codec.AppendPing(nil, 1, 0)
	for i := 0; going(); i++ {
		conn := all[i%len(all)]
		before := counts()
		began := time.Now()
		_, err := conn.Write(ping)
		if err == nil {
			_, err = conn.Read(buf)
		}
		if err != nil && len(rtts) > 0 {
			return rtts, nil
		}
		if err != nil {
			return nil, err
		}
		if before && counts() {
			rtts = append(rtts, time.Since(began).Seconds()*1000)
		}
		time.Sleep(ProbeEvery)
	}
	return rtts, nil
}
