package websocket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/transport"
)

// The checklist is that of the Autobahn test suite: 517 cases, of which 216 are about compression
// (12 and 13), which we do not offer. The others are here by their numbers, each under the section
// of RFC 6455 that it is about, for our server's side and for our client's. Where a case sends text to
// have it echoed, and text is not what it is about, binary is sent: text itself is refused with 1003.

// sentFrame is a frame of the peer's.
type sentFrame struct {
	first   byte
	payload string
}

// checked is a case.
type checked struct {
	number, section string
	frames          []sentFrame
	plain           string   // that comes through
	pongs           []string // that are answered
	code            uint16   // of the close frame that ends it; 0: it goes on
	chops           []int    // reads of so many bytes; nil: as chops
}

// chops are how the bytes of a case may come: "in octet-wise chops", too.
var chops = []int{1, 2, 3, 7, 997, 1 << 20}

// checklist are the cases but for those about compression.
func checklist() []checked {
	c := cases{long: strings.Repeat("x", 16<<20)}
	for _, chapter := range []func(){c.messages, c.pings, c.reserved, c.fragments, c.texts, c.farewells, c.large} {
		chapter()
	}
	return c.all
}

// cases are filled a chapter at a time.
type cases struct {
	all  []checked
	long string // as the longest payload
}

func (c *cases) add(number, section string, plain string, pongs []string, code uint16, frames ...sentFrame) *checked {
	c.all = append(c.all, checked{number: number, section: section, frames: frames, plain: plain, pongs: pongs, code: code})
	return &c.all[len(c.all)-1]
}

func numbered(prefix string, i int) string { return fmt.Sprint(prefix, ".", i+1) }

func whole(payload string) sentFrame { return sentFrame{fin | binary1, payload} }
func part(payload string) sentFrame  { return sentFrame{binary1, payload} }
func more(payload string) sentFrame  { return sentFrame{continuation, payload} }
func last(payload string) sentFrame  { return sentFrame{fin | continuation, payload} }
func asked(payload string) sentFrame { return sentFrame{ping, payload} }

// messages is chapter 1: payloads of every size.
func (c *cases) messages() {
	for i, size := range []int{0, 125, 126, 127, 128, 65535, 65536, 65536} {
		c.add(numbered("1.1", i), "5.6", "", nil, 1003, sentFrame{fin | text, c.long[:size]})
		one := c.add(numbered("1.2", i), "5.6", c.long[:size], nil, 0, whole(c.long[:size]))
		if size > 1<<10 {
			one.chops = []int{997, 1 << 20}
		}
	}
}

// pings is chapter 2.
func (c *cases) pings() {
	c.add("2.1", "5.5.2", "", []string{""}, 0, asked(""))
	c.add("2.2", "5.5.2", "", []string{"Hello, world!"}, 0, asked("Hello, world!"))
	noText := "\x00\xff\xfe\xfd\xfc\xfb\x00\xff"
	c.add("2.3", "5.5.2", "", []string{noText}, 0, asked(noText))
	c.add("2.4", "5.5.2", "", []string{c.long[:125]}, 0, asked(c.long[:125]))
	c.add("2.5", "5.5", "", nil, 1002, asked(c.long[:126]))
	c.add("2.6", "5.5.2", "", []string{c.long[:125]}, 0, asked(c.long[:125]))
	c.add("2.7", "5.5.3", "", nil, 0, sentFrame{pong, ""})
	c.add("2.8", "5.5.3", "", nil, 0, sentFrame{pong, "unasked"})
	c.add("2.9", "5.5.3", "", []string{"asked"}, 0, sentFrame{pong, "unasked"}, asked("asked"))
	var ten []sentFrame
	var answers []string
	for i := range 10 {
		ten, answers = append(ten, asked(fmt.Sprint("ping ", i))), append(answers, fmt.Sprint("ping ", i))
	}
	c.add("2.10", "5.5.2", "", answers, 0, ten...)
	c.add("2.11", "5.5.2", "", answers, 0, ten...)
}

// reserved is chapters 3 and 4: reserved bits and opcodes.
func (c *cases) reserved() {
	c.add("3.1", "5.2", "", nil, 1002, sentFrame{fin | 0x10 | binary1, "a"})
	for i, bits := range []byte{0x20, 0x30, 0x40} {
		c.add(numbered("3", i+1), "5.2", "a", nil, 1002, whole("a"), sentFrame{fin | bits | binary1, "b"}, asked(""))
	}
	c.add("3.5", "5.2", "", nil, 1002, sentFrame{fin | 0x50 | binary1, "a"})
	c.add("3.6", "5.2", "", nil, 1002, sentFrame{0x60 | ping, "a"})
	c.add("3.7", "5.2", "", nil, 1002, sentFrame{0x70 | goodbye, ""})

	for i := range 5 {
		for prefix, opcode := range map[string]byte{"4.1": byte(3 + i), "4.2": byte(11 + i)} {
			unknown := sentFrame{fin | opcode, [...]string{"", "a", "", "a", "a"}[i]}
			if i < 2 {
				c.add(numbered(prefix, i), "5.2", "", nil, 1002, unknown)
			} else {
				c.add(numbered(prefix, i), "5.2", "before", nil, 1002, whole("before"), unknown, asked(""))
			}
		}
	}
}

// fragments is chapter 5.
func (c *cases) fragments() {
	c.add("5.1", "5.4", "", nil, 1002, sentFrame{opPing, "a"}, last("b"))
	c.add("5.2", "5.4", "", nil, 1002, sentFrame{opPong, "a"}, last("b"))
	for i := range 3 { // at once, a frame at a time, a byte at a time
		c.add(numbered("5", 2+i), "5.4", "ab", nil, 0, part("a"), last("b"))
		c.add(numbered("5", 5+i), "5.4", "ab", []string{"p"}, 0, part("a"), asked("p"), last("b"))
		c.add(numbered("5", 8+i), "5.4", "", nil, 1002, last("a"), whole("b"))
		c.add(numbered("5", 11+i), "5.4", "", nil, 1002, more("a"), whole("b"))
	}
	c.add("5.15", "5.4", "ab", nil, 1002, part("a"), last("b"), more("c"), whole("d"))
	c.add("5.16", "5.4", "", nil, 1002, more("a"), part("b"), last("c"), more("a"), part("b"), last("c"))
	c.add("5.17", "5.4", "", nil, 1002, last("a"), part("b"), last("c"), last("a"), part("b"), last("c"))
	c.add("5.18", "5.4", "a", nil, 1002, part("a"), whole("b"))
	for _, number := range []string{"5.19", "5.20"} {
		c.add(number, "5.4", "12345", []string{"p", "q"}, 0, part("1"), more("2"), asked("p"), more("3"), more("4"), asked("q"), last("5"))
	}
}

// texts is chapter 6.
func (c *cases) texts() {
	// The bytes of a text do not matter: its first frame is refused, in fragments too.
	inText := map[int][][]sentFrame{
		1: {{{fin | text, ""}}, {{text, ""}, more(""), last("")}, {{text, ""}, more("middle"), last("")}},
		2: {{{fin | text, "κόσμε"}}, {{text, "κό"}, last("σμε")}, {{text, "\xce"}, last("\xba")}, {{text, "\xce"}, more("\xba"), last("")}},
		3: {{{fin | text, "κόσμε\xed\xa0\x80"}}, {{text, "\xed"}, more("\xa0"), last("\x80")}},
		4: {{{text, "κ"}, more("\xf4\x90\x80\x80"), last("x")}, {{text, "κ\xf4"}, more("\x90"), last("")}, {{text, "\xed\xa0"}, last("\x80")}, {{text, "\xff"}, last("")}},
	}
	for sub, cases := range inText {
		for i, frames := range cases {
			c.add(numbered(fmt.Sprint("6.", sub), i), "8.1", "", nil, 1003, frames...)
		}
	}
	for sub, bodies := range utf8Bodies() {
		for i, body := range bodies {
			c.add(numbered(fmt.Sprint("6.", sub+5), i), "8.1", "", nil, 1003, sentFrame{fin | text, body})
		}
	}
}

// farewells is chapter 7.
func (c *cases) farewells() {
	farewell := func(code uint16, reason string) sentFrame { return sentFrame{goodbye, closing1(code, reason)} }
	c.add("7.1.1", "7.1", "a", nil, 1000, whole("a"), farewell(1000, ""))
	c.add("7.1.2", "7.1", "", nil, 1000, farewell(1000, ""), farewell(1000, ""))
	c.add("7.1.3", "7.1", "", nil, 1000, farewell(1000, ""), asked(""))
	c.add("7.1.4", "7.1", "", nil, 1000, farewell(1000, ""), whole("late"))
	c.add("7.1.5", "7.1", "a", nil, 1000, part("a"), farewell(1000, ""), last("late"))
	c.add("7.1.6", "7.1", c.long[:256<<10]+"a", nil, 1000, whole(c.long[:256<<10]), whole("a"), farewell(1000, ""), asked("")).chops = []int{997, 1 << 20}
	c.add("7.3.1", "5.5.1", "", nil, closeNone, sentFrame{goodbye, ""})
	c.add("7.3.2", "5.5.1", "", nil, 1002, sentFrame{goodbye, "a"})
	c.add("7.3.3", "5.5.1", "", nil, 1000, farewell(1000, ""))
	c.add("7.3.4", "5.5.1", "", nil, 1000, farewell(1000, "Hello World!"))
	c.add("7.3.5", "5.5.1", "", nil, 1000, farewell(1000, c.long[:123]))
	c.add("7.3.6", "5.5", "", nil, 1002, farewell(1000, c.long[:124]))
	c.add("7.5.1", "8.1", "", nil, 1007, farewell(1000, "κόσμε\xed\xa0\x80edited"))
	for i, code := range []uint16{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999} {
		c.add(numbered("7.7", i), "7.4", "", nil, code, farewell(code, ""))
	}
	for i, code := range []uint16{0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999} {
		c.add(numbered("7.9", i), "7.4", "", nil, 1002, farewell(code, ""))
	}
	for i, code := range []uint16{5000, 65535} { // of which the RFC says nothing
		c.add(numbered("7.13", i), "7.4", "", nil, 1002, farewell(code, ""))
	}
}

// large is chapters 9 and 10: what is large, and comes in pieces.
func (c *cases) large() {
	quick := []int{1 << 16}
	for i, size := range []int{64 << 10, 256 << 10, 1 << 20, 4 << 20, 8 << 20, 16 << 20} {
		c.add(numbered("9.1", i), "5.6", "", nil, 1003, sentFrame{fin | text, c.long[:size]}).chops = quick
		c.add(numbered("9.2", i), "5.6", c.long[:size], nil, 0, whole(c.long[:size])).chops = quick
	}
	inFragments := func(first sentFrame, size, all int) []sentFrame {
		frames := []sentFrame{first}
		for at := size; at < all; at += size {
			frames = append(frames, more(c.long[at:min(at+size, all)]))
		}
		frames[len(frames)-1].first |= fin
		return frames
	}
	for i := range 9 {
		size := 64 << (2 * i)
		size = min(size, 4<<20)
		c.add(numbered("9.3", i), "5.4", "", nil, 1003, inFragments(sentFrame{text, c.long[:size]}, size, 4<<20)...).chops = quick
		c.add(numbered("9.4", i), "5.4", c.long[:4<<20], nil, 0, inFragments(part(c.long[:size]), size, 4<<20)...).chops = quick
	}
	for i, size := range []int{64, 128, 256, 512, 1024, 2048} {
		c.add(numbered("9.5", i), "5.6", "", nil, 1003, sentFrame{fin | text, c.long[:1<<20]}).chops = []int{size}
		c.add(numbered("9.6", i), "5.6", c.long[:1<<20], nil, 0, whole(c.long[:1<<20])).chops = []int{size}
	}
	for i, size := range []int{0, 16, 64, 256, 1024, 4096} {
		var texts, bodies []sentFrame
		for range 1000 {
			texts, bodies = append(texts, sentFrame{fin | text, c.long[:size]}), append(bodies, whole(c.long[:size]))
		}
		c.add(numbered("9.7", i), "5.6", "", nil, 1003, texts...).chops = quick
		c.add(numbered("9.8", i), "5.6", c.long[:1000*size], nil, 0, bodies...).chops = quick
	}
	c.add("10.1.1", "5.4", c.long[:65536], nil, 0, inFragments(part(c.long[:1300]), 1300, 65536)...).chops = []int{997, 1 << 20}
}

// utf8Bodies are what the cases from 6.5 on send, in their order: sequences, whole and wrong ones.
func utf8Bodies() (all [][]string) {
	group := func(bodies ...string) { all = append(all, bodies) }
	greek := "κ\u1f79σμε"
	group("hello$world", "hello¢world", "hello€world", "hello𤭢world", greek)
	var prefixes []string
	for i := range len(greek) {
		prefixes = append(prefixes, greek[:i+1])
	}
	group(prefixes...)
	group("\x00", "\u0080", "\u0800", "\U00010000")
	group("\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80")
	group("\x7f", "\u07ff", "\uffff", "\U0010ffff")
	group("\xf7\xbf\xbf\xbf", "\xfb\xbf\xbf\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf\xbf")
	group("\ud7ff", "\ue000", "\ufffd", "\U0010ffff", "\xf4\x90\x80\x80")
	lonely := []string{"\x80", "\xbf"}
	for n := 2; n <= 6; n++ {
		lonely = append(lonely, strings.Repeat("\x80\xbf", 3)[:n])
	}
	every := ""
	for b := 0x80; b < 0xbf; b++ {
		every += string([]byte{byte(b)})
	}
	group(append(lonely, every)...)
	var starts []string
	for _, r := range [][2]byte{{0xc0, 0xdf}, {0xe0, 0xef}, {0xf0, 0xf7}, {0xf8, 0xfb}, {0xfc, 0xfd}} {
		s := ""
		for b := r[0]; b < r[1]; b++ {
			s += string([]byte{b, ' '})
		}
		starts = append(starts, s)
	}
	group(starts...)
	cut := []string{"\xc0", "\xe0\x80", "\xf0\x80\x80", "\xf8\x80\x80\x80", "\xfc\x80\x80\x80\x80", "\xdf", "\xef\xbf", "\xf7\xbf\xbf", "\xfb\xbf\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf"}
	group(cut...)
	group(strings.Join(cut, ""))
	group("\xfe", "\xff", "\xfe\xfe\xff\xff")
	for _, tail := range []string{"\xaf", "\x80"} { // too long for what they say: a slash, and nothing
		overlong := []string{"\xc0" + tail, "\xe0\x80" + tail, "\xf0\x80\x80" + tail, "\xf8\x80\x80\x80" + tail, "\xfc\x80\x80\x80\x80" + tail}
		if group(overlong...); tail == "\xaf" {
			group("\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xf8\x87\xbf\xbf\xbf", "\xfc\x83\xbf\xbf\xbf\xbf")
		}
	}
	group("\xed\xa0\x80", "\xed\xad\xbf", "\xed\xae\x80", "\xed\xaf\xbf", "\xed\xb0\x80", "\xed\xbe\x80", "\xed\xbf\xbf")
	var pairs []string
	for _, high := range []string{"\xed\xa0\x80", "\xed\xad\xbf", "\xed\xae\x80", "\xed\xaf\xbf"} {
		pairs = append(pairs, high+"\xed\xb0\x80", high+"\xed\xbf\xbf")
	}
	group(pairs...)
	none := []string{"\ufffe", "\uffff"}
	for plane := 1; plane <= 16; plane++ { // code points that are no characters are valid
		none = append(none, string(rune(plane<<16|0xfffe)), string(rune(plane<<16|0xffff)))
	}
	group(none...)
	group("\ufff9", "\ufffa", "\ufffb", "\ufffc", "\ufffd", "\ufffe", "\uffff")
	return all
}

// unframe reads frames that a side has sent.
func unframe(t *testing.T, b string) (all []sentFrame) {
	t.Helper()
	for len(b) > 0 {
		h, need, err := parseHeader([]byte(b), len(b) > 1 && b[1]&maskBit != 0)
		if err != nil || need > 0 || len(b) < h.size+int(h.length) {
			t.Fatalf("it has sent %q: %v", b, err)
		}
		payload := []byte(b[h.size : h.size+int(h.length)])
		mask(payload, h.mask)
		all = append(all, sentFrame{b[0], string(payload)})
		b = b[h.size+int(h.length):]
	}
	return all
}

func TestTheAutobahnChecklist(t *testing.T) {
	all := checklist()
	numbers := map[string]bool{}
	for _, c := range all {
		numbers[c.number] = true
	}
	const compression = 5*18 + 7*18 // 12.1 to 12.5, 13.1 to 13.7
	if len(all) != len(numbers) || len(all)+compression != 517 {
		t.Errorf("%d cases with %d numbers, want 517 with the %d about compression", len(all), len(numbers), compression)
	}
	for _, c := range all {
		for name, open := range map[string]func(*testing.T) (*end, func(byte, string) string){
			"server": func(t *testing.T) (*end, func(byte, string) string) { return openServer(t), frame },
			"client": func(t *testing.T) (*end, func(byte, string) string) {
				client, _ := newPair(t, ServerConfig{})
				return client, bare
			},
		} {
			t.Run("RFC 6455 "+c.section+"/"+c.number+"/"+name, func(t *testing.T) {
				var wire strings.Builder
				_, put := open(t)
				for _, f := range c.frames {
					wire.WriteString(put(f.first, f.payload))
				}
				sizes := c.chops
				if sizes == nil {
					sizes = chops
				}
				for _, size := range sizes {
					e, _ := open(t)
					c.check(t, e, wire.String(), size)
				}
			})
		}
	}
}

// check has a side take the bytes of a case in reads of that size.
func (c *checked) check(t *testing.T, e *end, wire string, size int) {
	t.Helper()
	for ; wire != ""; wire = wire[min(size, len(wire)):] {
		e.receive(wire[:min(size, len(wire))])
	}
	if string(e.got) != c.plain || (e.err == nil) != (c.code == 0) {
		t.Fatalf("in reads of %d bytes: %d bytes plain, %v; want %d, and %d", size, len(e.got), e.err, len(c.plain), c.code)
	}
	if held := e.lines.Held(0); held != 0 {
		t.Errorf("%d bytes are held", held)
	}
	if closed := errors.Is(e.err, transport.ErrEnd); closed && c.code == 1002 && c.section != "7.4" || !closed && (c.code == 1000 || c.code == closeNone) {
		t.Errorf("it ends by %v, want %d", e.err, c.code)
	}
	e.close(codec.Code(0))
	said := unframe(t, e.said())
	for i, want := range c.pongs {
		if i >= len(said) || said[i] != (sentFrame{pong, want}) {
			t.Fatalf("in reads of %d bytes it says %q, want the pongs %q", size, said, c.pongs)
		}
	}
	code, last := c.code, said[len(c.pongs):]
	if code == 0 {
		code = 1000 // we close
	}
	want := sentFrame{goodbye, string(binary.BigEndian.AppendUint16(nil, code))}
	if code == closeNone {
		want.payload = ""
	}
	if len(last) != 1 || last[0] != want {
		t.Errorf("in reads of %d bytes it ends with %q, want %d", size, last, code)
	}
	if e.send("more"); len(e.sent) != 0 {
		t.Errorf("behind the close frame comes %q", e.sent)
	}
}

// The only text that we take is a close frame's reason: what section 8.1 wants of text holds for it.
func TestSection81ReasonsAreUTF8(t *testing.T) {
	for _, group := range utf8Bodies() {
		for _, body := range group {
			if len(body) > 123 {
				continue
			}
			want := uint16(1007)
			if utf8.ValidString(body) {
				want = 1000
			}
			s := openServer(t)
			s.receive(frame(goodbye, closing1(1000, body)))
			s.close(0)
			if said := s.said(); said != bare(goodbye, closing1(want, "")) {
				t.Errorf("the reason %q is answered with %q, want %d", body, said, want)
			}
		}
	}
}
