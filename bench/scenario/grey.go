package scenario

import (
	"context"
	"fmt"
	"time"
)

// grey makes all nodes slow for a while: they answer, but late, and neither they nor
// TCP say so. (P. Huang et al., "Gray Failure: The Achilles' Heel of Cloud-Scale Systems",
// HotOS 2017.) Clients that nobody serves in time give their sessions up, and knock.
type grey struct{}

// What a grey failure is by default: a container that is throttled for half a minute.
const (
	defaultGrey     = "1ms/120ms"
	defaultGreyTime = 30 * time.Second
)

// promises are about the end. Whom a slow node could serve is for a threshold to say:
// storm.clients are those whom it lost, maybe nobody.
func (grey) promises(c *Config) []string {
	return []string{fmt.Sprintf("conns.end==%d", c.Conns), "eviction.false==0"}
}

func (grey) strike(ctx context.Context, s *Stage) error {
	s.Servers.Sample(ctx)
	on := s.Clients.Ready()
	s.Clients.BeginStorm()
	lift := s.slowDown(s.Servers.Nodes...)
	defer lift()
	s.Enter("slow", s.Outage)
	s.Say("%d clients are in; for %v the nodes run for %v of every %v", on, s.Outage, s.slow.Run, s.slow.Run+s.slow.Stop)
	if err := s.pass(ctx, s.Outage); err != nil {
		return err
	}
	lift()
	s.Servers.Accept(s.Outage)
	n := s.Clients.Counts()
	s.Say("the nodes run as before; %d clients have lost their session, %d of them are in again", n.StormClients, n.StormBack)
	return s.awaitReturns(ctx, n.StormClients)
}
