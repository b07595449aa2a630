package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/internal/token"
	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/server"
)

// messageFlags say whether the node carries messages between users.
type messageFlags struct {
	Messages     string `default:"off" placeholder:"memory|bolt:FILE|off" help:"Carry messages between users, rooms and presence (docs/MESSAGING.md) instead of --echo; what waits for who is away is in memory, or durable in a file. Default: ${default}."`
	OpenPresence bool   `help:"With --messages: everybody may ask and watch who is online, not only who is in a room of his."`

	MessageLimits []string `placeholder:"LIMIT=VALUE" help:"With --messages: other limits than usual, as in rooms=20,members=500,rate=off; docs/OPERATIONS.md, Messages, has them all."`
	limits        limitsOfMessages
}

const (
	messagesOff    = "off"
	messagesMemory = "memory"
	boltPrefix     = "bolt:"
)

func (f *messageFlags) on() bool { return f.Messages != messagesOff }

func (f *messageFlags) check(c *serveCmd) error {
	file, isBolt := strings.CutPrefix(f.Messages, boltPrefix)
	switch {
	case isBolt && file == "":
		return errors.New("--messages bolt: needs a file, as in --messages bolt:messages.db")
	case !isBolt && f.Messages != messagesMemory && f.Messages != messagesOff:
		return fmt.Errorf("--messages must be memory, bolt:FILE or off, not %q", f.Messages)
	case !f.on() && len(f.MessageLimits) > 0:
		return errors.New("--message-limits needs --messages memory or bolt:FILE")
	case !f.on() && f.OpenPresence:
		return errors.New("--open-presence needs --messages memory or bolt:FILE")
	case c.AdminTokenFile != "" && (!f.on() || c.Admin == ""):
		return errors.New("--admin-token-file needs --admin, and --messages memory or bolt:FILE")
	case f.on() && c.Echo != nil:
		return errors.New("--echo and --no-echo do not go with --messages, which acknowledges what has arrived")
	case f.on() && c.Publish > 0:
		return errors.New("--publish does not go with --messages, whose clients would not know what that is")
	}
	var err error
	f.limits, err = limitsOf(f.MessageLimits)
	if most := c.MaxQueued / 2; err == nil && f.limits.hub.RingBytes > most {
		err = fmt.Errorf("--message-limits: ring-bytes is at most half of --max-queued, %d, so that a member who missed it all can take it", most)
	}
	return err
}

// messages are the hub of the node and its store. Nil: the node carries none.
type messages struct {
	hub    *messaging.Hub
	store  messaging.Store
	tokens [][]byte // of back ends; none: on loopback only
	log    *slog.Logger
}

// open opens the store and makes the hub, which does nothing before start.
func (f *messageFlags) open(c *serveCmd, hooks *hooks, peers *clustered, log *slog.Logger) (*messages, error) {
	if !f.on() {
		return nil, nil
	}
	var tokens [][]byte
	if c.AdminTokenFile != "" {
		var err error
		if tokens, err = token.ReadSecrets(c.AdminTokenFile); err != nil {
			return nil, err
		}
	}
	var store messaging.Store = messaging.NewMemory(f.limits.store)
	if file, isBolt := strings.CutPrefix(f.Messages, boltPrefix); isBolt {
		bolt, err := messaging.OpenBolt(file, f.limits.store)
		if err != nil {
			return nil, storeError(file, err)
		}
		store = bolt
	}
	cfg := f.limits.hub
	cfg.Store, cfg.OpenPresence, cfg.Logger = store, f.OpenPresence, log
	if cfg.RingBytes == 0 {
		cfg.RingBytes = min(defaultRing, max(1, c.MaxQueued/2)) // so that a member who missed it all can take it
	}
	hooks.rule(&cfg)
	peers.carry(&cfg)
	hub, err := messaging.New(cfg)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return &messages{hub, store, tokens, log}, nil
}

// defaultRing is that of messaging.Config.RingBytes.
const defaultRing = 128 << 10

// storeError words why a file cannot be the store.
func storeError(file string, err error) error {
	var path *os.PathError
	switch {
	case errors.Is(err, messaging.ErrStoreInUse):
		return fmt.Errorf("--messages: another process has %s open", file)
	case errors.As(err, &path):
		return fmt.Errorf("--messages: cannot open %s: %w", file, path.Err) // path.Path may be a file beside it
	}
	return fmt.Errorf("--messages: %s", strings.TrimPrefix(err.Error(), "messaging: "))
}

func (m *messages) start(srv *server.Server) error {
	if m == nil {
		return nil
	}
	return m.hub.Start(srv)
}

// messagesTime bounds how long the end waits for the store.
const messagesTime = 5 * time.Second

// close has the store keep what clients were sent and have not acknowledged, and closes it. The server has
// ended, or never started. It ends early at another signal. What was not stored then, nobody was told
// is stored: its senders send it again.
func (m *messages) close(log *slog.Logger, signals <-chan os.Signal) error {
	if m == nil {
		return nil
	}
	err := end(m.hub.Close, messagesTime, log, signals)
	if err != nil {
		err = fmt.Errorf("--messages: the store did not take %d bytes in time: %w", m.hub.Stats().Storing, err)
	}
	switch st := m.hub.Stats(); {
	case st.Queued == 0:
	case m.store.Durable():
		log.Info("messages wait in the store until this node is started with it", "messages", st.Queued, "bytes", st.QueuedBytes)
	default:
		log.Warn("messages that were held in memory are lost", "messages", st.Queued, "bytes", st.QueuedBytes)
	}
	if closing := m.store.Close(); closing != nil {
		err = errors.Join(err, fmt.Errorf("--messages: %w", closing))
	}
	return err
}
