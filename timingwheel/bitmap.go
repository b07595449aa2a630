package timingwheel

import "math/bits"

// bitmap tells which slots are occupied: a bit a slot, and above it a bit a
// word, so that an idle stretch of 4096 slots is skipped in one step.
type bitmap struct {
	words   []uint64
	summary []uint64
}

func newBitmap(slots int) bitmap {
	words := slots / 64
	return bitmap{make([]uint64, words), make([]uint64, (words+63)/64)}
}

func (b *bitmap) bytes() int64 { return int64(len(b.words)+len(b.summary)) * 8 }

func (b *bitmap) has(n uint32) bool { return b.words[n/64]&(1<<(n%64)) != 0 }

func (b *bitmap) set(n uint32) {
	b.words[n/64] |= 1 << (n % 64)
	b.summary[n/4096] |= 1 << (n / 64 % 64)
}

func (b *bitmap) clear(n uint32) {
	b.words[n/64] &^= 1 << (n % 64)
	if b.words[n/64] == 0 {
		b.summary[n/4096] &^= 1 << (n / 64 % 64)
	}
}

// next returns the first occupied slot at or after n, going round once.
func (b *bitmap) next(n uint32) (uint32, bool) {
	word := n / 64
	if m := b.words[word] >> (n % 64); m != 0 {
		return n + uint32(bits.TrailingZeros64(m)), true
	}
	word, ok := b.nextWord(word + 1)
	if !ok {
		// Round the end. The first word is met again at worst: the bits before n.
		if word, ok = b.nextWord(0); !ok {
			return 0, false
		}
	}
	return word*64 + uint32(bits.TrailingZeros64(b.words[word])), true
}

// nextWord returns the first word at or after n that isn't zero.
func (b *bitmap) nextWord(n uint32) (uint32, bool) {
	mask := ^uint64(0) << (n % 64)
	for i := n / 64; i < uint32(len(b.summary)); i++ {
		if m := b.summary[i] & mask; m != 0 {
			return i*64 + uint32(bits.TrailingZeros64(m)), true
		}
		mask = ^uint64(0)
	}
	return 0, false
}
