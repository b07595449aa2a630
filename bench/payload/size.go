package payload

import (
	"fmt"
	"strconv"
	"strings"
)

// Size is a number of bytes, above 0. Flags say it as 100B, 4KB (4000), 4KiB (4096), and likewise MB
// and MiB; without a suffix it is in bytes.
type Size int

// largest is far above what any frame holds.
const largest = 1 << 30

// units are the suffixes, the longer ones before those that they end in.
var units = []struct {
	suffix string
	bytes  int
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"KB", 1000}, {"MB", 1_000_000}, {"B", 1}, {"", 1}}

// ParseSize reads a size.
func ParseSize(text string) (Size, error) {
	for _, u := range units {
		digits, ok := strings.CutSuffix(text, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 31)
		switch {
		case err != nil:
			return 0, fmt.Errorf("%q is no size, as in 100B, 4KB or 4KiB", text)
		case n == 0:
			return 0, fmt.Errorf("%q is not above 0", text)
		case n > uint64(largest/u.bytes):
			return 0, fmt.Errorf("%q is more than 1024MiB", text)
		}
		return Size(int(n) * u.bytes), nil
	}
	panic("payload: the last unit fits all")
}

// UnmarshalText is for flags, which name themselves in an error.
func (s *Size) UnmarshalText(text []byte) (err error) {
	*s, err = ParseSize(string(text))
	return err
}

// String is what ParseSize reads.
func (s Size) String() string { return strconv.Itoa(int(s)) + "B" }
