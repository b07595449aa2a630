package node

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/lab/peers"
	"github.com/stormwheel/stormwheel/bench/scenario"
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

	// First is how many clients come before them and stay, next to without a heartbeat: what a server has once,
	// however many there are, is not taken for the price of the others.
	First int
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
		defer first.End()
	}
	time.Sleep(settle) // what it does at its start is none of the clients' business
	empty, before := servers.Resident(), servers.Use()
	clients, err := h.clients(ctx, servers, h.Conns, h.Heartbeat)
	if err != nil {
		return err
	}
	defer clients.End()
	time.Sleep(settle)
	connected := servers.Use()
	time.Sleep(h.Warm)
	from, began := servers.Use(), time.Now()
	time.Sleep(h.Span)
	to, ended := servers.Use(), time.Now()
	full := servers.Resident()
	res, err := clients.End()
	switch {
	case servers.Err != nil:
		return servers.Err
	case err != nil:
		return err
	case res.Conns.End != h.Conns:
		return fmt.Errorf("%d of %d clients at the end", res.Conns.End, h.Conns)
	}
	r.Figures["bytes"] = float64(full-empty) / float64(h.Conns)
	r.Figures["connect_us"] = micros(connected.CPU()-before.CPU()) / float64(h.Conns)
	if res.Connect.RatePerS != nil {
		r.Figures["connect_s"] = *res.Connect.RatePerS
	}
	r.Punctuality(res)
	steady := kit.WindowOf(res, began, ended)
	if beats := steady.Pongs(); beats > 0 {
		seconds := ended.Sub(began).Seconds()
		r.Figures["beats_s"] = beats
		r.Figures["cpu_us"] = micros(to.CPU()-from.CPU()) / seconds / beats
		r.Figures["user_us"] = micros(to.User-from.User) / seconds / beats
		r.Figures["system_us"] = micros(to.System-from.System) / seconds / beats
		p50, p99 := steady.RTT()
		r.Figures["rtt_p50"], r.Figures["rtt_p99"] = p50.Median, p99.Median
	}
	return nil
}

// clients come and stay.
func (h *Holding) clients(ctx context.Context, servers *peers.Group, conns int, heartbeat time.Duration) (*kit.Clients, error) {
	c, err := kit.StartClients(ctx, scenario.Config{Scenario: "hold", Targets: servers.Addrs(), Conns: conns, Rate: h.Connect,
		Duration: time.Hour, Heartbeat: heartbeat, Workers: h.Workers, Transport: h.Transport, Insecure: h.Transport == "tls"})
	if err != nil {
		return nil, err
	}
	if err := c.Reached("hold"); err != nil {
		_, _ = c.End()
		return nil, err
	}
	return c, nil
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
