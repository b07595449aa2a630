package peers

import (
	"cmp"
	"context"
	"fmt"

	"github.com/stormwheel/stormwheel/internal/machine"
	"github.com/stormwheel/stormwheel/internal/machine/proc"
)

// PerProcess is how many connections a server process gets before another one is started.
const PerProcess = 15_000

// Group is the processes that serve one measurement: one, or as many as the descriptors of
// a process make necessary.
type Group struct {
	Err     error // the first that a reading of them had
	servers []*Server
}

// StartGroup starts so many processes of a kind.
func StartGroup(ctx context.Context, kind string, processes int, flags ...string) (*Group, error) {
	g := &Group{}
	for range processes {
		s, err := Start(ctx, kind, flags...)
		if err != nil {
			g.Close()
			return nil, err
		}
		g.servers = append(g.servers, s)
	}
	return g, nil
}

// Close kills and reaps them.
func (g *Group) Close() {
	for _, s := range g.servers {
		s.Close()
	}
}

// Addrs are where they listen.
func (g *Group) Addrs() []string {
	var all []string
	for _, s := range g.servers {
		all = append(all, s.Addr)
	}
	return all
}

// Resident is what they hold together in bytes, each after a collection.
func (g *Group) Resident() (sum int64) {
	for _, s := range g.servers {
		n, err := s.Resident()
		g.Err = cmp.Or(g.Err, err)
		sum += n
	}
	return sum
}

// Use is what they have taken together.
func (g *Group) Use() (sum proc.Use) {
	for _, s := range g.servers {
		u, err := proc.Process(s.PID)
		g.Err = cmp.Or(g.Err, err)
		sum = sum.Plus(u)
	}
	return sum
}

// TooMany says why so many connections can't be measured on this machine with so many a
// process, or nothing. Both ends of each are here.
func TooMany(conns, perProcess int) string {
	need := machine.Need{Conns: int64(conns), Ends: 2 * int64(conns), Processes: 2 * int64((conns+perProcess-1)/perProcess),
		Descriptors: int64(min(conns, perProcess))*21/20 + 128}
	for _, low := range machine.Read().Short(need) {
		return fmt.Sprint(low)
	}
	return ""
}
