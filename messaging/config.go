package messaging

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// Config says how a Hub behaves. The zero value of a field means its default, negative none or off
// where that makes sense.
type Config struct {
	// Store keeps what waits for users. It stays the caller's, who closes it after Hub.Close. Default
	// nil: messages are for who is online; others are refused with envelope.CodeTryLater.
	Store Store

	// Peers are the other nodes of a cluster: a *cluster.Node, whose Start the Hub calls. It stays the
	// caller's, who closes it after Hub.Close. Default nil: this node is alone.
	Peers Peers

	// Name is the sender of what the node itself says (Push, PushRoom, Broadcast), 1 to 128 bytes. No
	// client may have that id. Default "node".
	Name string

	// Policy is asked before a client may send, join, watch or ask. Default nil: any client may send
	// and join; it may ask and watch only who is in a room that it is in. See Policy.
	Policy Policy
	// PolicyTimeout is how long Policy may take; beyond it the client is told to try later. Default 2 s,
	// at most 3 s.
	PolicyTimeout time.Duration
	// PolicyWorkers is how many calls of Policy there are at a time, PolicyQueue how many more may
	// wait; beyond it clients are told to try later. Default 64 and 4,096.
	PolicyWorkers int
	PolicyQueue   int
	// PolicyKinds are what Policy decides: envelope.ToUser, ToRoom, Join, Watch, Ask. What others do is
	// decided as without a Policy, and does not wait for it. Default nil: all.
	PolicyKinds []envelope.Kind
	// OpenPresence has the default policy let everybody ask and watch who is online.
	OpenPresence bool

	// Events is told what happens to users' devices and queues, in the order of each user. It is called
	// while the user is locked: it must not block, and must not call the Hub. Default nil: nobody is told,
	// and it costs nothing.
	Events func(Event)

	// Life is how long a message waits for its addressee at most, and how far ahead one may be
	// delayed. Default 7 days.
	Life time.Duration
	// MaxContent bounds the content of a message, in bytes. With the head, which takes
	// envelope.MaxHead at most, it must fit into server.Config.MaxFrame. Default 60 KiB.
	MaxContent int
	// MaxStoring bounds the bytes of messages that wait for the Store, of all users together;
	// beyond it they are refused with envelope.CodeTryLater. Default 64 MiB.
	MaxStoring int

	// MaxDevices bounds the sessions of one user; the oldest ends when there is another. Default 16;
	// negative: no bound.
	MaxDevices int
	// MaxRooms bounds the rooms that a user is in with all his sessions, MaxWatches what one session
	// watches. Default 100 and 100, together at most server.MaxGroups. Sessions of one user that enter
	// their last rooms at the same moment may be in one more each.
	MaxRooms   int
	MaxWatches int
	// MaxMembers bounds the sessions of this node in one room. Default 100,000; negative: no bound.
	MaxMembers int
	// MaxRoomsTotal bounds the rooms that the node knows, with members or without; of those without,
	// the one that was silent for longest is forgotten first. Default 65,536.
	MaxRoomsTotal int
	// RingMessages and RingBytes bound what a room keeps for those who missed it. Default 128 and
	// 128 KiB, which should be below server.Config.MaxQueued.
	RingMessages int
	RingBytes    int

	// MessageRate bounds the messages a second of one user, JoinRate its joins, watches and questions;
	// four seconds' worth may come at once, and of the latter MaxRooms and MaxWatches together if that is
	// more: a device that comes back asks for all of its own. Default 100 and 20; negative: no bound.
	MessageRate float64
	JoinRate    float64

	// Logger gets what operators need to know. Default: nothing is logged.
	Logger *slog.Logger
}

// WithDefaults returns c with its zeros filled in.
func (c Config) WithDefaults() Config {
	setDefault(&c.Name, "node")
	setDefault(&c.PolicyTimeout, 2*time.Second)
	setDefault(&c.PolicyWorkers, 64)
	setDefault(&c.PolicyQueue, 4096)
	setDefault(&c.Life, 7*24*time.Hour)
	setDefault(&c.MaxContent, 60<<10)
	setDefault(&c.MaxStoring, 64<<20)
	setDefault(&c.MaxDevices, 16)
	setDefault(&c.MaxRooms, 100)
	setDefault(&c.MaxWatches, 100)
	setDefault(&c.MaxMembers, 100_000)
	setDefault(&c.MaxRoomsTotal, 65_536)
	setDefault(&c.RingMessages, 128)
	setDefault(&c.RingBytes, 128<<10)
	setDefault(&c.MessageRate, 100)
	setDefault(&c.JoinRate, 20)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Validate says in one sentence which field makes no sense.
func (c Config) Validate() error {
	c = c.WithDefaults()
	for _, f := range []struct {
		bad  bool
		text string
	}{
		{len(c.Name) > 128, "Name is longer than 128 bytes"},
		{c.PolicyTimeout < 0 || c.PolicyTimeout > 3*time.Second, "PolicyTimeout is not within 0 and 3 s"},
		{c.PolicyWorkers < 0 || c.PolicyQueue < 0, "PolicyWorkers and PolicyQueue must not be negative"},
		{c.Life < time.Second, "Life is shorter than 1 s"},
		{c.MaxContent < 0 || c.MaxStoring < 0, "MaxContent and MaxStoring must not be negative"},
		{c.MaxRooms < 0 || c.MaxWatches < 0 || c.MaxRooms+c.MaxWatches > maxGroups, "MaxRooms and MaxWatches are more than a session's groups"},
		{c.MaxRoomsTotal < 0, "MaxRoomsTotal must not be negative"},
		{c.RingMessages < 0 || c.RingBytes < 0, "RingMessages and RingBytes must not be negative"},
	} {
		if f.bad {
			return fmt.Errorf("messaging: %s", f.text)
		}
	}
	return nil
}
