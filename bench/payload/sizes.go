package payload

import (
	"fmt"
	"strconv"
	"strings"
)

// Sizes is how large messages are: one size ("100B"), all between two ("50B..2KB"), or several of either with how
// often they come ("100B:70%,1KB..4KB:25%,16KB:5%"; without % they are weights). Empty: there are none.
type Sizes string

// share is a part of Sizes.
type share struct {
	least, most Size
	weight      float64
}

// ParseSizes reads them, and says what is wrong with the first part that is no size.
func ParseSizes(text string) (Sizes, error) {
	_, err := parseShares(text)
	return Sizes(text), err
}

// UnmarshalText is for flags, which name themselves in an error.
func (s *Sizes) UnmarshalText(text []byte) (err error) {
	*s, err = ParseSizes(string(text))
	return err
}

func parseShares(text string) (all []share, err error) {
	parts := strings.Split(text, ",")
	for _, part := range parts {
		sizes, weight, weighted := strings.Cut(strings.TrimSpace(part), ":")
		if !weighted && len(parts) > 1 {
			return nil, fmt.Errorf("%q of %q does not say how often, as in 100B:70%%", part, text)
		}
		one := share{weight: 1}
		if weighted {
			if one.weight, err = strconv.ParseFloat(strings.TrimSuffix(weight, "%"), 64); err != nil || !(one.weight > 0 && one.weight <= 1e9) {
				return nil, fmt.Errorf("%q of %q is no number above 0", weight, text)
			}
		}
		least, most, between := strings.Cut(sizes, "..")
		if one.least, err = ParseSize(least); err != nil {
			return nil, err
		}
		if one.most = one.least; between {
			if one.most, err = ParseSize(most); err != nil {
				return nil, err
			}
		}
		if one.most < one.least {
			return nil, fmt.Errorf("%q ends below its begin", sizes)
		}
		all = append(all, one)
	}
	return all, nil
}

// Dice are sizes that can be drawn. The zero value draws 0.
type Dice struct {
	all   []share
	total float64
}

// Dice of sizes that were parsed; of none, and of a text that is none, the zero value.
func (s Sizes) Dice() Dice {
	all, err := parseShares(string(s))
	if s == "" || err != nil {
		return Dice{}
	}
	d := Dice{all: all}
	for _, one := range all {
		d.total += one.weight
	}
	return d
}

// Least and Most are the smallest and the largest size, in bytes; Mean is what they are on the average.
func (d Dice) Least() (n Size) {
	for i, one := range d.all {
		if i == 0 || one.least < n {
			n = one.least
		}
	}
	return n
}

// Most is the largest size that can come, in bytes.
func (d Dice) Most() (n Size) {
	for _, one := range d.all {
		n = max(n, one.most)
	}
	return n
}

// Mean is the size that comes in the mean.
func (d Dice) Mean() (mean float64) {
	for _, one := range d.all {
		mean += one.weight / d.total * float64(one.least+one.most) / 2
	}
	return mean
}

// Draw is the size that belongs to a number, such as that of a message: the same each time. Numbers that follow each
// other have sizes that know nothing of each other.
func (d Dice) Draw(number uint64) Size {
	if len(d.all) == 1 && d.all[0].least == d.all[0].most {
		return d.all[0].least
	}
	x := mixed(number)
	at := float64(x>>11) / (1 << 53) * d.total
	for i, one := range d.all {
		if at -= one.weight; at < 0 || i == len(d.all)-1 {
			return one.least + Size(mixed(x)%uint64(one.most-one.least+1))
		}
	}
	return 0
}

// mixed is the finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
func mixed(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
