package node

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/lab/peers"
	"github.com/stormwheel/stormwheel/bench/scenario"
	"github.com/stormwheel/stormwheel/internal/machine/proc"
)

// Holding is a measurement of a server whose clients connect, stay and heartbeat.
type Holding struct {
	Conns     int
	Connect   float64       // connects a second that are offered
	Heartbeat time.Duration // of the clients
	Warm      time.Duration // after all are connected, before the window
	Span      time.Duration // the window in which CPU and answers are counted

	Processes int // of the server; 0: as many as peers.PerProcess asks for
	Loops     int // of each, which then are its processors, the first ones; 0: the default, on all
	Workers   int // processes of the clients; 0: as many as descriptors ask for

	Transport string // of the clients: tcp, which is the default, ws or tls

	// Come brings other clients than those of package bench, who speak something else; nil: the latter come.
	Come func(ctx context.Context, target string, conns int, connect float64) (Crowd, error)

	// First is how many clients come before them and stay, next to without a heartbeat: what a server has once,
	// however many there are, is not taken for the price of the others.
	First int
}

// Crowd is clients that have come, and stay.
type Crowd interface {
	// Leave ends them; once they have left it does nothing.
	Leave()
	// Tell ends them, and puts what they say of the time between two times into figures. stayed is how many of
	// them were there to the end.
	Tell(figures map[string]float64, from, to time.Time) (stayed int, err error)
}

// rare is the heartbeat of those who are there for their memory alone.
const rare = 5 * time.Minute

// patient is a timeout that nobody meets in a holding, and Admitted an admission rate that
// holds nobody up: neither is measured there.
const (
	patient  = "10m"
	Admitted = "1000000"
)

// IdleHeartbeat is that of clients whose memory is measured.
const IdleHeartbeat = 30 * time.Second

// atOnce is a rate of connects that no pair of server and clients reaches here.
const atOnce = 40_000

// leisurely is a rate of connects at which no server gets into debt, so that what a crowd
// leaves behind in a heap is not taken for the cost of a connection.
const leisurely = 2000

const settle = 300 * time.Millisecond

// reading is what servers had used at a time.
type reading struct {
	proc.Use
	at time.Time
}

// Hold gives the figures of one holding by the record's subject.
func Hold(ctx context.Context, r *kit.Record, h Holding) error {
	if h.Processes == 0 {
		h.Processes = (h.Conns + peers.PerProcess - 1) / peers.PerProcess
	}
	flags := []string{"--heartbeat", h.Heartbeat.String(), "--timeout", patient, "--admit-rate", Admitted}
	if h.Loops > 0 {
		flags = append(flags, "--loops", strconv.Itoa(h.Loops), "--pin")
	}
	servers, err := peers.StartGroup(ctx, r.Subject, h.Processes, flags...)
	if err != nil {
		return err
	}
	defer servers.Close()
	if h.First > 0 {
		first, err := h.clients(ctx, servers, h.First, rare)
		if err != nil {
			return err
		}
		defer first.Leave()
	}
	time.Sleep(settle) // what it does at its start is none of the clients' business
	empty, before := servers.Resident(), servers.Use()
	clients, err := h.clients(ctx, servers, h.Conns, h.Heartbeat)
	if err != nil {
		return err
	}
	defer clients.Leave()
	time.Sleep(settle)
	connected := servers.Use()
	time.Sleep(h.Warm)
	from := reading{servers.Use(), time.Now()}
	time.Sleep(h.Span)
	to := reading{servers.Use(), time.Now()}
	full := servers.Resident()
	stayed, err := clients.Tell(r.Figures, from.at, to.at)
	switch {
	case servers.Err != nil:
		return servers.Err
	case err != nil:
		return err
	case stayed != h.Conns:
		return fmt.Errorf("%d of %d clients at the end", stayed, h.Conns)
	}
	r.Figures["bytes"] = float64(full-empty) / float64(h.Conns)
	r.Figures["connect_us"] = micros(connected.CPU()-before.CPU()) / float64(h.Conns)
	if beats := r.Figures["beats_s"]; beats > 0 {
		all := beats * to.at.Sub(from.at).Seconds()
		r.Figures["cpu_us"] = micros(to.CPU()-from.CPU()) / all
		r.Figures["user_us"] = micros(to.User-from.User) / all
		r.Figures["system_us"] = micros(to.System-from.System) / all
	}
	return nil
}

// clients come and stay.
func (h *Holding) clients(ctx context.Context, servers *peers.Group, conns int, heartbeat time.Duration) (Crowd, error) {
	if h.Come != nil {
		return h.Come(ctx, servers.Addrs()[0], conns, h.Connect)
	}
	c, err := kit.StartClients(ctx, scenario.Config{Scenario: "hold", Targets: servers.Addrs(), Conns: conns, Rate: h.Connect,
		Duration: time.Hour, Heartbeat: heartbeat, Workers: h.Workers, Transport: h.Transport, Insecure: h.Transport == "tls"})
	if err != nil {
		return nil, err
	}
	if err := c.Reached("hold"); err != nil {
		_, _ = c.End()
		return nil, err
	}
	return links{c}, nil
}

// links are clients of package bench.
type links struct{ *kit.Clients }

func (l links) Leave() { _, _ = l.End() }

func (l links) Tell(figures map[string]float64, from, to time.Time) (stayed int, err error) {
	res, err := l.End()
	if err != nil {
		return 0, err
	}
	if res.Connect.RatePerS != nil {
		figures["connect_s"] = *res.Connect.RatePerS
	}
	(&kit.Record{Figures: figures}).Punctuality(res)
	steady := kit.WindowOf(res, from, to)
	if beats := steady.Pongs(); beats > 0 {
		figures["beats_s"] = beats
		p50, p99 := steady.RTT()
		figures["rtt_p50"], figures["rtt_p99"] = p50.Median, p99.Median
	}
	return res.Conns.End, nil
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
