package fleet

import (
	"testing"
)

// The rounding of each worker's part must not change the number.
func TestQuotasAddUp(t *testing.T) {
	for _, c := range []struct {
		counts []int
		count  int
	}{{[]int{13, 13, 12, 12}, 5}, {[]int{0, 1, 0}, 1}, {[]int{7}, 4}, {[]int{3, 3, 3}, 0}, {[]int{1, 1, 1, 1}, 2}, {[]int{2, 1}, 9}} {
		all, sum := 0, 0
		for i, n := range c.counts {
			q := quota(c.counts, c.count, i)
			if q < 0 || q > n {
				t.Errorf("quota(%v, %v, %d) = %d, want 0 to %d", c.counts, c.count, i, q, n)
			}
			all, sum = all+n, sum+q
		}
		if sum != min(c.count, all) {
			t.Errorf("quotas of %v of %v add up to %d", c.count, c.counts, sum)
		}
	}
}
