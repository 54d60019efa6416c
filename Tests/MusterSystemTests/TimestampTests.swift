import MusterSystem
import Testing

@Suite("Timestamp")
struct TimestampTests {
  @Test(
    "A moment is written with microseconds and Z",
    arguments: [
      (0, "1970-01-01T00:00:00.000000Z"),
      (1, "1970-01-01T00:00:00.000001Z"),
      (-1, "1969-12-31T23:59:59.999999Z"),
      (1_770_317_691_388_334, "2026-02-05T18:54:51.388334Z"),
      (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
      (4_102_444_800_000_000, "2100-01-01T00:00:00.000000Z"),
      (-62_135_596_800_000_000, "0001-01-01T00:00:00.000000Z"),
    ])
  func format(microseconds: Int64, text: String) {
    #expect(Timestamp(microseconds: microseconds).iso8601 == text)
  }

  @Test(
    "Dates, times, fractions and zones are read",
    arguments: [
      ("1970-01-01", 0),
      ("1970-01-01T00:00", 0),
      ("1970-01-01 00:00:01", 1_000_000),
      ("1970-01-01T00:00:00.5Z", 500_000),
      ("1970-01-01T00:00:00.000001Z", 1),
      ("1970-01-01T00:00:00.0000019Z", 1),
      ("1970-01-01T01:00:00+01:00", 0),
      ("1970-01-01T01:30+0130", 0),
      ("1969-12-31T19:00:00-05:00", 0),
      ("1970-01-01T00:00:00-00:00", 0),
      ("1969-12-31T23:59:59.999999Z", -1),
      ("2026-02-05T18:54:51.388334Z", 1_770_317_691_388_334),
      ("2000-02-29", 951_782_400_000_000),
      ("2024-02-29", 1_709_164_800_000_000),
      ("1900-02-28", -2_203_977_600_000_000),
    ])
  func reading(text: String, microseconds: Int64) {
    #expect(Timestamp(iso8601: text)?.microseconds == microseconds)
  }

  @Test(
    "What is not a date is refused",
    arguments: [
      "", "1970", "1970-1-1", "1970-01", "1970-13-01", "1970-00-01", "1970-01-00", "1970-01-32", "1970-04-31",
      "1900-02-29", "2023-02-29", "2100-02-29", "1970-01-01T", "1970-01-01T1", "1970-01-01T24:00", "1970-01-01T00:60",
      "1970-01-01T00:00:60", "1970-01-01T00:00:00.", "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00ZZ",
      "1970-01-01T00:00:00+", "1970-01-01T00:00:00+01", "1970-01-01T00:00:00+24:00", "1970-01-01T00:00:00+01:60",
      "1970-01-01T00:00:00 Z", " 1970-01-01", "1970-01-01 ", "1970/01/01", "-970-01-01", "19700101", "1970-01-01Z",
      "١٩٧٠-01-01", "1970-01-01T00:00:00+01:00Z",
    ])
  func refusal(text: String) {
    #expect(Timestamp(iso8601: text) == nil)
  }

  @Test("What is written reads back to the same microsecond")
  func roundTrip() {
    var moment: Int64 = -60_000_000_000_000_000
    while moment < 250_000_000_000_000_000 {
      #expect(Timestamp(iso8601: Timestamp(microseconds: moment).iso8601)?.microseconds == moment)
      moment += 1_234_567_890_123_457
    }
  }

  @Test("Whole seconds are rounded down, also before 1970")
  func seconds() {
    #expect(Timestamp(microseconds: 1_999_999).seconds == 1)
    #expect(Timestamp(microseconds: -1).seconds == -1)
    #expect(Timestamp(microseconds: -1_000_000).seconds == -1)
    #expect(Timestamp(microseconds: -1_000_001).seconds == -2)
  }

  @Test("The ends of the range are written without a trap")
  func extremes() {
    #expect(Timestamp(microseconds: .max).iso8601.hasSuffix("Z"))
    #expect(Timestamp(microseconds: .min).iso8601.hasSuffix("Z"))
    #expect(Timestamp(microseconds: .min) < Timestamp(microseconds: .max))
  }
}
