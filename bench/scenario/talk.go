package scenario

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/bench/nodes"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/swarm"
)

// talk has users write to each other, in pairs and in rooms, and reconciles every message by its name. A node may be
// struck on the way: it is started again with its store, and what lies there has to arrive.
type talk struct{}

func (talk) Name() string { return result.Talk }

func (talk) About() string {
	return "users talk in pairs, and in --rooms, over nodes with a store; --kill-after and --drain-after strike one on the way"
}

func (talk) Takes() string {
	return "send every rooms room-size speakers devices messages cluster kill-after drain-after restart-after rolling split-after split-for kind fraction"
}

const (
	defaultTalkers  = 200
	defaultRoom     = 10
	defaultTalkSend = "100B"
	defaultRestart  = 2 * time.Second
	defaultSplit    = 5 * time.Second

	// joinPatience is how long rooms may take to let all in: those who are late hear what comes then.
	joinPatience = 5 * time.Second

	// talkLate is how late the generator may be: what is promised here is counted, and not timed.
	talkLate = 250 * time.Millisecond

	// maxContent is what a node takes in an envelope (messaging.Config.MaxContent).
	maxContent = 60 << 10
)

// Defaults: 200 users, ten messages each. All are at one node, unless the nodes are a cluster: then the two of a pair are at two.
func (talk) Defaults(c *Config) {
	fill(&c.Conns, defaultTalkers)
	fill(&c.Send, defaultTalkSend)
	fill(&c.Every, time.Second)
	fill(&c.Duration, 10*time.Second)
	if !c.Cluster {
		fill(&c.Place, "first")
	}
	if c.Rooms > 0 {
		fill(&c.RoomSize, defaultRoom)
		fill(&c.Speakers, c.RoomSize)
	}
	fill(&c.Devices, 1)
	fill(&c.LateLimit, talkLate)
	if c.Spawn > 0 {
		fill(&c.Messages, "bolt")
		fill(&c.Heartbeat, 5*time.Second)
	}
	if c.KillAfter > 0 || c.DrainAfter > 0 {
		fill(&c.RestartAfter, defaultRestart)
		fill(&c.Kind, c.talkStorm())
	}
	if c.SplitAfter > 0 {
		fill(&c.SplitFor, defaultSplit)
	}
	if _, said := c.nodeArg("drain-grace"); (c.Spawn > 1 || c.DrainAfter > 0 && c.Spawn > 0) && !said {
		c.NodeArgs = append([]string{"drain-grace=" + drainGrace.String()}, c.NodeArgs...)
	}
}

// talkStorm is the kind of storm that the blow is.
func (c *Config) talkStorm() string {
	switch {
	case c.KillAfter > 0 && c.Spawn > 1:
		return "kill"
	case c.KillAfter > 0:
		return "blackout"
	case c.DrainAfter > 0 && c.Spawn > 1:
		return "drain"
	case c.DrainAfter > 0:
		return "restart"
	}
	return ""
}

// talks reports whether users talk to each other.
func (c *Config) talks() bool { return c.Scenario == result.Talk }

func (talk) Check(c *Config) error {
	for _, check := range []func() error{c.checkUsers, c.checkBlow} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// checkUsers is about who talks, and where.
func (c *Config) checkUsers() error {
	switch {
	case c.foreign():
		return result.Usage("talk is for nodes of our own, which carry messages between users: it is not for --protocol %s", c.Protocol)
	case c.Cluster && c.targets() < 2:
		return result.Usage("--cluster is for two targets or spawned nodes, and more")
	case c.Cluster:
	case c.Place != "first" && c.targets() > 1:
		return result.Usage("--place %s: nodes do not know each other, so that those who talk are all at the first", c.Place)
	case len(c.Targets) > 1 || c.Spawn > 2:
		return result.Usage("nodes do not know each other, so that those who talk are at one: talk is for one --target, or for --spawn 1 or 2, or for more of them that are a cluster, with --cluster")
	}
	return c.checkTalkers()
}

// checkTalkers is about who they are.
func (c *Config) checkTalkers() error {
	users := c.Conns / max(c.Devices, 1)
	inRooms := c.Rooms * c.RoomSize
	switch {
	case c.Messages != "" && c.Spawn == 0:
		return result.Usage("--messages is for spawned nodes; a target has its own")
	case c.Messages != "" && c.Messages != "memory" && c.Messages != "bolt":
		return result.Usage("--messages: %q is neither memory nor bolt", c.Messages)
	case c.Send.Dice().Most() > maxContent:
		return result.Usage("--send: %v is above %dB, which is what a node takes for a user", c.Send, maxContent)
	case c.Devices < 1 || c.Devices > 16 || c.Conns%c.Devices != 0:
		return result.Usage("--devices: %d is not within 1 to 16, or does not divide %d clients", c.Devices, c.Conns)
	case c.Rooms < 0 || c.RoomSize < 0 || c.RoomSize > 0 && c.Rooms == 0 || c.Rooms > 0 && c.RoomSize < 2:
		return result.Usage("--rooms and --room-size: %d rooms of %d users, who must be 2 or more", c.Rooms, c.RoomSize)
	case c.Speakers < 0 || c.Speakers > c.RoomSize:
		return result.Usage("--speakers: %d are not among the %d users of a room (--rooms, --room-size)", c.Speakers, c.RoomSize)
	case c.Rooms > users || inRooms > users:
		return result.Usage("--rooms: %d of %d are more than %d users", c.Rooms, c.RoomSize, users)
	case (users-inRooms)%2 != 0:
		return result.Usage("--conns: %d users who are in no room are no pairs", users-inRooms)
	case c.Fraction >= 1:
		return result.Usage("--fraction: %g of the users in pairs are all: somebody must answer", c.Fraction)
	}
	return nil
}

// checkBlow is about what befalls a node.
func (c *Config) checkBlow() error {
	struck := c.KillAfter > 0 || c.DrainAfter > 0
	switch {
	case c.Kind != c.talkStorm():
		return result.Usage("--kind is not for talk: say --kill-after or --drain-after")
	case c.KillAfter > 0 && c.DrainAfter > 0 && !c.Rolling:
		return result.Usage("--kill-after and --drain-after exclude each other, but with --rolling")
	case c.KillAfter > 0 && c.DrainAfter > 0 && c.DrainAfter <= c.KillAfter:
		return result.Usage("--drain-after: %v is not after --kill-after %v", c.DrainAfter, c.KillAfter)
	case c.Rolling && (c.DrainAfter == 0 || c.Spawn < 2):
		return result.Usage("--rolling is for --drain-after and two spawned nodes or more")
	case c.SplitFor != 0 && c.SplitAfter == 0:
		return result.Usage("--split-for is for --split-after")
	case c.SplitAfter > 0 && (!c.Cluster || c.Spawn == 0):
		return result.Usage("--split-after is for spawned nodes with --cluster")
	case c.SplitAfter > 0 && c.SplitAfter+c.SplitFor >= c.Duration:
		return result.Usage("--split-after and --split-for: %v is not before the end of --duration %v", c.SplitAfter+c.SplitFor, c.Duration)
	case c.RestartAfter != 0 && !struck:
		return result.Usage("--restart-after is for --kill-after and --drain-after")
	case struck && c.Spawn == 0:
		return result.Usage("--kill-after and --drain-after strike a process that is the run's own: they need --spawn")
	case max(c.KillAfter, c.DrainAfter) >= c.Duration:
		return result.Usage("--kill-after, --drain-after: %v is not before the end of --duration %v", max(c.KillAfter, c.DrainAfter), c.Duration)
	}
	return nil
}

// Roles: who talks to whom.
func (talk) Roles(c *Config, s *swarm.Config) {
	pairs := c.Conns/c.Devices - c.Rooms*c.RoomSize
	s.Talk = &swarm.Talk{Rooms: c.Rooms, RoomSize: c.RoomSize, Speakers: c.Speakers, Devices: c.Devices, Deaf: int(math.Ceil(c.Fraction * float64(pairs)))}
}

// Promises: nothing that was acknowledged as delivered or durable is lost, whatever befalls a node. What was held in
// memory may be, and what a room said meanwhile, if its members are told.
func (talk) Promises(c *Config) []string {
	all := []string{fmt.Sprintf("conns.end==%d", c.Conns), "messages.acknowledged>0", "messages.delivered>0", "messages.refused==0",
		"messages.lost==0", "messages.doubled==0"}
	whole := !c.storms()
	switch {
	case whole:
	case c.DrainAfter > 0 && c.KillAfter == 0 && !c.Alone():
		all = append(all, "storm.offline==0", pendingPromise)
	default:
		all = append(all, "storm.clients>0", fmt.Sprintf("storm.t100_s<=%g", (c.RestartAfter+c.RecoveryTimeout).Seconds()), pendingPromise)
	}
	switch {
	case whole && c.SplitAfter == 0: // members of rooms are told of gaps after one
		all = append(all, "messages.undelivered==0", "conns.lost==0", answeredPromise)
	case whole:
		all = append(all, "conns.lost==0", answeredPromise)
	case c.KillAfter == 0 && c.Rolling: // the storm is the first node's
		all = append(all, "conns.lost==0")
	case c.KillAfter > 0 && c.Rolling:
		all = append(all, "conns.lost["+partRolling+"]==0")
	}
	if c.KillAfter > 0 && c.SplitAfter > 0 {
		all = append(all, "conns.lost["+partSplit+"]==0")
	}
	if _, said := c.nodeArg("messages"); c.storms() && c.Messages == "bolt" && !said {
		all = append(all, "messages.held_lost==0") // such a node says "held" of nothing
	}
	return append(all, "eviction.false==0")
}

// nodeStore are the flags of a spawned node that carries messages. Each has a file of its own in the run's folder.
func (p *Plan) nodeStore(folder string) []string {
	flags := []string{"--messages", "memory"}
	if p.Messages == "bolt" {
		flags[1] = "bolt:" + folder + "/{node}.db"
	}
	if p.Cluster {
		flags = append(flags, "--cluster", "nats://embedded", "--cluster-listen", nodes.ClusterAddr, "--cluster-peers", nodes.ClusterAddrs, "--no-cluster-rebalance")
	}
	return flags
}

// ownStore reports whether nodes need a folder for their stores.
func (p *Plan) ownStore() bool {
	_, said := p.nodeArg("messages")
	return p.talks() && p.Messages == "bolt" && !said
}

// words of what users carry, for the first line.
func (c *Config) talkWords() string {
	var words []string
	users := c.Conns / c.Devices
	if pairs := (users - c.Rooms*c.RoomSize) / 2; pairs > 0 {
		words = append(words, fmt.Sprintf("%d pairs", pairs))
	}
	if c.Rooms > 0 {
		rooms := fmt.Sprintf("%d rooms of %d", c.Rooms, c.RoomSize)
		if c.Speakers < c.RoomSize {
			rooms += fmt.Sprintf(", of whom %d speak", c.Speakers)
		}
		words = append(words, rooms)
	}
	return fmt.Sprintf("%s, a message of %v each %v", strings.Join(words, " and "), c.Send, c.Every)
}

// The parts of a talk beside those of all: while no node hears another, and while all are restarted one after the other.
const (
	partSplit   = "split"
	partRolling = "rolling"
)

func (talk) Parts(c *Config) []string {
	all := []string{"ramp", "talk"}
	if c.SplitAfter > 0 {
		all = append(all, partSplit)
	}
	if c.Rolling {
		all = append(all, partRolling)
	}
	return append(all, "ledger")
}

func (talk) Play(ctx context.Context, s *Stage) error {
	if s.SplitAfter > 0 {
		if err := nodes.Splits(); err != nil {
			return fmt.Errorf("--split-after: %w", err)
		}
	}
	if err := s.ramp(ctx); err != nil {
		return err
	}
	if _, err := s.until(ctx, joinPatience, func() bool { return s.Clients.Owing() == 0 }); err != nil {
		return err
	}
	s.Enter("talk", s.Duration)
	s.Say("they talk for %v: %s", s.Duration, s.talkWords())
	from := s.Clients.Talk(s.Duration)
	if err := s.strikeTalk(ctx, from); err != nil {
		return err
	}
	if err := s.passUntil(ctx, from+s.Duration); err != nil {
		return err
	}
	return s.closeLedger(ctx)
}

// passUntil lets time go by until a moment of the clients' clock.
func (s *Stage) passUntil(ctx context.Context, at time.Duration) error {
	return s.pass(ctx, max(at-s.Clients.Now(), 0))
}
