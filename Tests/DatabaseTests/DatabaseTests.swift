import Database
import Testing

@Test("a histogram counts an observation in the first bucket that holds it")
func histogramBuckets() {
    var histogram = Histogram(bounds: [1, 2])
    for value in [0.5, 1, 1.5, 9] { histogram.observe(value) }
    #expect(histogram.counts == [2, 1, 1])
}
