package peer

import (
	"bytes"
	"encoding/binary"
	"math"
	"time"
	"unicode"
	"unicode/utf8"
)

// announcement is the body of NODE.
type announcement struct {
	started           uint64 // the clock when the process began: of two with one name the later is meant
	clock             uint64 // the latest ms that any stamp had, or the wall clock
	drain             uint64 // the clock when it began to drain; 0: it does not
	head              uint64 // number of the latest claim
	number            uint16 // the low bits of its stamps
	state             State
	whole             bool // heard has all nodes that it hears
	registers, silent bool // see homing
	load              Load
	address           []byte // views
	version           []byte
	heard             []byte // 4 bytes a node that it hears: its mark
}

// Entries of an announcement's tail: type 1, length 2, value. Others are skipped.
const (
	tailAddress = 1
	tailVersion = 2
	tailHeard   = 3

	flagWhole     = 1
	flagRegisters = 2
	flagSilent    = 4

	announcementLen = 52
	noBound         = math.MaxUint32 // of places
	markLen         = 4
	// maxHeard is how many nodes an announcement names as heard. With more it is not told who hears
	// whom, and a cut one way is noticed by the side only that does not hear.
	maxHeard = 64
)

func appendAnnouncement(dst []byte, a *announcement) []byte {
	for _, v := range [...]uint64{a.started, a.clock, a.drain, a.head} {
		dst = binary.BigEndian.AppendUint64(dst, v)
	}
	dst = binary.BigEndian.AppendUint16(dst, a.number)
	flags := byte(0)
	if a.whole {
		flags |= flagWhole
	}
	flags |= bit(a.registers, flagRegisters) | bit(a.silent, flagSilent)
	dst = append(dst, byte(a.state), flags)
	places := uint32(noBound)
	if a.load.Places >= 0 {
		places = uint32(min(a.load.Places, noBound-1))
	}
	for _, v := range [...]uint32{bounded(float64(a.load.Sessions)), places, bounded(math.Ceil(a.load.AdmitRate)), bounded(float64(a.load.Lag / time.Millisecond))} {
		dst = binary.BigEndian.AppendUint32(dst, v)
	}
	dst = appendEntry(dst, tailAddress, a.address)
	dst = appendEntry(dst, tailVersion, a.version)
	return appendEntry(dst, tailHeard, a.heard)
}

func bit(on bool, flag byte) byte {
	if on {
		return flag
	}
	return 0
}

func bounded(v float64) uint32 { return uint32(min(max(v, 0), math.MaxUint32)) }

func appendEntry(dst []byte, typ byte, value []byte) []byte {
	if len(value) == 0 {
		return dst
	}
	dst = binary.BigEndian.AppendUint16(append(dst, typ), uint16(len(value)))
	return append(dst, value...)
}

func parseAnnouncement(b []byte) (a announcement, err error) {
	if len(b) < announcementLen {
		return a, errMalformed
	}
	u64, u32 := binary.BigEndian.Uint64, binary.BigEndian.Uint32
	a = announcement{started: u64(b), clock: u64(b[8:]), drain: u64(b[16:]), head: u64(b[24:]),
		number: binary.BigEndian.Uint16(b[32:]), state: State(b[34]), whole: b[35]&flagWhole != 0,
		registers: b[35]&flagRegisters != 0, silent: b[35]&flagSilent != 0}
	a.load = Load{Sessions: int(u32(b[36:])), Places: int(u32(b[40:])), AdmitRate: float64(u32(b[44:])),
		Lag: time.Duration(u32(b[48:])) * time.Millisecond}
	if u32(b[40:]) == noBound {
		a.load.Places = -1
	}
	if a.started > maxClock || a.clock > maxClock || a.drain > maxClock || a.state == 0 || a.head == math.MaxUint64 {
		return a, errMalformed
	}
	return a, a.parseTail(b[announcementLen:])
}

func (a *announcement) parseTail(b []byte) error {
	for len(b) > 0 {
		if len(b) < 3 || len(b) < 3+int(binary.BigEndian.Uint16(b[1:])) {
			return errMalformed
		}
		typ, value := b[0], b[3:3+binary.BigEndian.Uint16(b[1:])]
		b = b[3+len(value):]
		switch typ {
		case tailAddress:
			a.address = value
		case tailVersion:
			a.version = value
		case tailHeard:
			a.heard = value
		}
	}
	if len(a.address) > MaxAddress || len(a.version) > MaxVersion || len(a.heard) > maxHeard*markLen || len(a.heard)%markLen != 0 ||
		!isText(a.address) || !isText(a.version) || bytes.IndexByte(a.address, ',') >= 0 {
		return errMalformed
	}
	return nil
}

// hears says whether the sender hears the node of a mark. Who names only some of those that it hears is
// believed to hear all.
func (a *announcement) hears(mark uint32) bool {
	for b := a.heard; len(b) > 0; b = b[markLen:] {
		if binary.BigEndian.Uint32(b) == mark {
			return true
		}
	}
	return !a.whole
}

func isText(b []byte) bool {
	return utf8.Valid(b) && bytes.IndexFunc(b, unicode.IsControl) < 0
}
