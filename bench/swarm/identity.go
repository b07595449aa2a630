package swarm

import (
	"fmt"
	"net/netip"
	"strconv"

	"github.com/stormwheel/stormwheel/internal/link"
)

// Who a client is: its id, its address, where it begins, and the policy that it returns by.

// source is the local address of a client; those that come for one that has left take others, since
// its port may still be taken.
func (s *Swarm) source(number int, tenant uint16) netip.Addr {
	if len(s.cfg.Sources) == 0 {
		return netip.Addr{}
	}
	// Clients are dealt to the endpoints in turn: one more source for each round, so that each
	// endpoint sees all of them.
	return s.cfg.Sources[(number/s.cfg.targets()+int(tenant))%len(s.cfg.Sources)]
}

func (s *Swarm) firstEndpoint(number int) string {
	all := s.policies[0].Endpoints
	if s.cfg.PlaceAll && (s.cfg.ProbesFirst || !s.cfg.role(number).has(flagProbe)) {
		return all[0]
	}
	return all[number%len(all)]
}

// linkConfig is that of a client's cohort.
func (s *Swarm) linkConfig(number int, flags clientFlags) *link.Config {
	all := s.policies
	switch {
	case flags.has(flagProbe):
		all = s.probing
	case flags.has(flagTrickle):
		all = s.dripping
	}
	if len(all) == 1 {
		return &all[0]
	}
	return &all[s.cfg.cohort(number)]
}

// tenancy is the number of a link: that of a client's place, and which tenant it is. The
// first is 0, and each that comes for one that left is the next.
func tenancy(number int, tenant uint16) uint64 { return uint64(number)<<16 | uint64(tenant) }

// clientID makes the id of a tenancy.
func clientID(prefix string) func(tenancy uint64) string {
	return func(tenancy uint64) string {
		id := prefix + strconv.FormatUint(tenancy>>16, 10)
		if tenant := tenancy & 0xffff; tenant > 0 {
			id += "-" + strconv.FormatUint(tenant, 10)
		}
		return id
	}
}

// FirstID is the id of the first tenant of a client's place.
func FirstID(seed uint64, number int) string { return clientID(clientPrefix(seed))(tenancy(number, 0)) }

func clientPrefix(seed uint64) string { return fmt.Sprintf("bench-%x-", seed) }
