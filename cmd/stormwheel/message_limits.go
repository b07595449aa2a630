package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// messageLimit is one that --message-limits sets.
type messageLimit struct {
	key, fallback, means string
	field                string // of messaging.Config, in its errors
	set                  func(l *limitsOfMessages, value string) error
}

// limitsOfMessages are what the flag sets: fields that are zero have their default.
type limitsOfMessages struct {
	hub   messaging.Config
	store messaging.Bounds
}

// messageLimits are all of them, in the order of the page of operations.
var messageLimits = []messageLimit{
	{"devices", "16", "sessions of one user; the oldest ends when there is another", "MaxDevices", count(func(l *limitsOfMessages) *int { return &l.hub.MaxDevices }, true)},
	{"rooms", "100", "rooms that one user is in, with all his sessions", "MaxRooms", count(func(l *limitsOfMessages) *int { return &l.hub.MaxRooms }, false)},
	{"watches", "100", "users and rooms that one session watches", "MaxWatches", count(func(l *limitsOfMessages) *int { return &l.hub.MaxWatches }, false)},
	{"members", "100000", "sessions of this node in one room", "MaxMembers", count(func(l *limitsOfMessages) *int { return &l.hub.MaxMembers }, true)},
	{"all-rooms", "65536", "rooms that this node knows; of those without members the one that was silent for longest is forgotten first", "MaxRoomsTotal", count(func(l *limitsOfMessages) *int { return &l.hub.MaxRoomsTotal }, false)},
	{"ring", "128", "messages that a room keeps for those who come back", "RingMessages", count(func(l *limitsOfMessages) *int { return &l.hub.RingMessages }, false)},
	{"ring-bytes", "128KiB", "their size, all together; at most half of --max-queued, which is the default if that is less", "RingBytes", size(func(l *limitsOfMessages) *int { return &l.hub.RingBytes }, false)},
	{"rate", "100", "messages a second of one user, four seconds' worth at once", "MessageRate", rate(func(l *limitsOfMessages) *float64 { return &l.hub.MessageRate })},
	{"join-rate", "20", "joins, watches and questions a second of one user, likewise", "JoinRate", rate(func(l *limitsOfMessages) *float64 { return &l.hub.JoinRate })},
	{"content", "60KiB", "of a message; with 1 KiB for its head it must fit into a frame of 64 KiB", "MaxContent", size(func(l *limitsOfMessages) *int { return &l.hub.MaxContent }, false)},
	{"life", "168h", "how long a message waits, and how far ahead one may be delayed", "Life", lifetime},
	{"storing", "64MiB", "messages that wait for the store, of all users", "MaxStoring", size(func(l *limitsOfMessages) *int { return &l.hub.MaxStoring }, false)},
	{"queue", "1000", "messages that wait for one user", "", count(func(l *limitsOfMessages) *int { return &l.store.UserRecords }, true)},
	{"queue-bytes", "1MiB", "their size, with 96 bytes for each", "", size(func(l *limitsOfMessages) *int { return &l.store.UserBytes }, true)},
	{"store", "1000000", "messages that wait in the store, of all users", "", count(func(l *limitsOfMessages) *int { return &l.store.Records }, true)},
	{"store-bytes", "256MiB", "their size, likewise", "", size(func(l *limitsOfMessages) *int64 { return &l.store.Bytes }, true)},
}

// mostContent is what a frame has room for beside the head.
const mostContent = 64<<10 - envelope.MaxHead

// noLimit is the value that takes a limit away.
const noLimit = "off"

// limitsOf reads the flag.
func limitsOf(pairs []string) (l limitsOfMessages, err error) {
	seen := make(map[string]bool)
	for _, pair := range pairs {
		key, value, _ := strings.Cut(pair, "=")
		limit := limitNamed(key)
		switch {
		case limit == nil:
			return l, fmt.Errorf("--message-limits: there is no %q, but %s", key, strings.Join(limitNames(), ", "))
		case seen[key]:
			return l, fmt.Errorf("--message-limits: %s is there twice", key)
		}
		seen[key] = true
		if err := limit.set(&l, value); err != nil {
			return l, fmt.Errorf("--message-limits %s: %w", pair, err)
		}
	}
	if l.hub.MaxContent > mostContent {
		return l, fmt.Errorf("--message-limits: content is at most %dKiB, which a frame brings", mostContent>>10)
	}
	if err := l.hub.Validate(); err != nil {
		return l, fmt.Errorf("--message-limits: %s", ofFlags(strings.TrimPrefix(err.Error(), "messaging: ")))
	}
	return l, nil
}

// ofFlags names the limits in an error of messaging.Config as the flag does.
func ofFlags(text string) string {
	var names []string
	for i := len(messageLimits) - 1; i >= 0; i-- { // MaxRoomsTotal before MaxRooms
		if limit := &messageLimits[i]; limit.field != "" {
			names = append(names, limit.field, limit.key)
		}
	}
	return strings.NewReplacer(names...).Replace(text)
}

func limitNamed(key string) *messageLimit {
	for i := range messageLimits {
		if messageLimits[i].key == key {
			return &messageLimits[i]
		}
	}
	return nil
}

func limitNames() (all []string) {
	for i := range messageLimits {
		all = append(all, messageLimits[i].key)
	}
	return all
}

// count is a limit that is a number; endless says that there may be none.
func count(field func(*limitsOfMessages) *int, endless bool) func(*limitsOfMessages, string) error {
	return func(l *limitsOfMessages, value string) error {
		if endless && value == noLimit {
			*field(l) = -1
			return nil
		}
		n, err := strconv.ParseUint(value, 10, 31)
		if err != nil || n == 0 {
			return fmt.Errorf("%q is no number from 1 to %d%s", value, math.MaxInt32, orOff(endless))
		}
		*field(l) = int(n)
		return nil
	}
}

// rate is a limit that is a number a second.
func rate(field func(*limitsOfMessages) *float64) func(*limitsOfMessages, string) error {
	return func(l *limitsOfMessages, value string) error {
		if value == noLimit {
			*field(l) = -1
			return nil
		}
		f, err := strconv.ParseFloat(value, 64)
		if err != nil || !(f > 0) || f > 1e9 {
			return fmt.Errorf("%q is no number above 0%s", value, orOff(true))
		}
		*field(l) = f
		return nil
	}
}

func lifetime(l *limitsOfMessages, value string) (err error) {
	if l.hub.Life, err = time.ParseDuration(value); err != nil || l.hub.Life < time.Second {
		return fmt.Errorf("%q is no time from 1s on", value)
	}
	return nil
}

// byteUnits are the suffixes of sizes, the longer ones before those that they end in.
var byteUnits = []struct {
	suffix string
	bytes  uint64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}, {"", 1}}

// size is a limit in bytes.
func size[T int | int64](field func(*limitsOfMessages) *T, endless bool) func(*limitsOfMessages, string) error {
	return func(l *limitsOfMessages, value string) error {
		if endless && value == noLimit {
			*field(l) = -1
			return nil
		}
		for _, u := range byteUnits {
			digits, fits := strings.CutSuffix(value, u.suffix)
			if !fits {
				continue
			}
			n, err := strconv.ParseUint(digits, 10, 63)
			if err != nil || n == 0 || n > math.MaxInt64/u.bytes || uint64(T(n*u.bytes)) != n*u.bytes {
				break
			}
			*field(l) = T(n * u.bytes)
			return nil
		}
		return fmt.Errorf("%q is no size above 0, as in 100B, 64KiB or 1GiB%s", value, orOff(endless))
	}
}

func orOff(endless bool) string {
	if endless {
		return ", nor " + noLimit
	}
	return ""
}
