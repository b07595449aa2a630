package promises

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/lab/peers"
	"github.com/stormwheel/stormwheel/internal/machine/proc"
	"github.com/stormwheel/stormwheel/internal/siege"
)

// besiege has all enemies come to a node at once, beside clients that behave.
func (s size) besiege(ctx context.Context, r *kit.Record) error {
	node, err := peers.Start(ctx, peers.Besieged)
	if err != nil {
		return err
	}
	defer node.Close()
	target := peers.Target(node.Addr)
	warm, _ := siege.Assault(ctx, target, s.siege/2) // it grows slabs and buffers, which a node keeps
	before, err := settled(node)
	if err != nil {
		return err
	}
	fared, came := siege.Assault(ctx, target, s.siege)
	after, err := settled(node)
	if err != nil {
		return err
	}
	r.Figures["before"], r.Figures["after"] = before, after
	r.Figures["lost"] = float64(len(warm.Lost) + len(fared.Lost))
	r.Said = fmt.Sprintf("%v; an enemy came %s times", fared, kit.Count(came))
	next := target.Peer("after")
	defer next.Close()
	r.Figures["faults"] = 0
	for _, fault := range []error{warm.Fault(), warm.Slow(), fared.Fault(), fared.Slow(), next.Join(ctx)} {
		if fault != nil {
			r.Figures["faults"]++
			r.Said += "; " + fault.Error()
		}
	}
	return nil
}

// settled is the resident memory in KiB when the last client has left, after several collections:
// pools and finished goroutines outlive one.
func settled(node *peers.Server) (least float64, err error) {
	addr, err := netip.ParseAddrPort(node.Addr)
	if err != nil {
		return 0, err
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		n, err := proc.Conns(node.PID, addr.Port())
		if err != nil {
			return 0, err
		}
		if n == 0 {
			break
		}
		if time.Now().After(end) {
			return 0, fmt.Errorf("%d connections are left when everybody has gone", n)
		}
	}
	for range 10 {
		bytes, err := node.Resident()
		if err != nil {
			return 0, err
		}
		if kib := float64(bytes) / 1024; least == 0 || kib < least {
			least = kib
		}
		time.Sleep(20 * time.Millisecond) // what lets go of memory runs on other goroutines
	}
	return least, nil
}

// ofSiege: nobody who behaves is lost, and no memory stays taken.
func ofSiege(r *kit.Record) []kit.Target {
	f := r.Figures
	grown := f["after"] / max(f["before"], 1)
	all := []kit.Target{
		{What: "well-behaved clients that are lost", AtLeast: new(0.0), AtMost: new(0.0), Of: kit.SampleOf([]float64{f["lost"]}),
			Got: kit.Number(f["lost"]) + " beside " + r.Said},
		{What: "RSS afterwards, by that before", AtMost: new(1.1), Of: kit.SampleOf([]float64{grown}),
			Got: fmt.Sprintf("%s: %s KiB after %s", kit.Number(grown), kit.Number(f["after"]), kit.Number(f["before"]))},
	}
	if f["faults"] > 0 && f["lost"] == 0 {
		all = append(all, kit.Target{What: "faults of another kind", AtLeast: new(0.0), AtMost: new(0.0), Of: kit.SampleOf([]float64{f["faults"]})})
	}
	return all
}
