import MusterSystem

/// Makes the names that the documented service gives agents: an adjective and an animal. They are for people; ids are unique, these need not be.
enum UniqueName {
  private static let adjectives = [
    "amber", "azure", "bold", "brave", "bright", "bronze", "calm", "clever", "coral", "cosmic", "crimson", "crisp",
    "daring",
    "eager", "emerald", "gentle", "golden", "grand", "happy", "hazel", "indigo", "ivory", "jolly", "keen", "lavender",
    "lively",
    "lucid", "maple", "mellow", "misty", "noble", "olive", "pearl", "polite", "proud", "quiet", "rapid", "ruby",
    "rustic", "sage",
    "scarlet", "silver", "steady", "sunny", "swift", "teal", "tidy", "velvet", "vivid", "witty",
  ]
  private static let animals = [
    "badger", "bear", "beaver", "bison", "cheetah", "condor", "coyote", "crane", "dolphin", "eagle", "egret", "falcon",
    "ferret",
    "finch", "fox", "gazelle", "gecko", "heron", "ibex", "jackal", "jaguar", "kestrel", "koala", "lemur", "leopard",
    "lynx",
    "marten", "marmot", "meerkat", "mongoose", "moose", "narwhal", "ocelot", "orca", "otter", "owl", "panther",
    "pelican",
    "penguin", "puffin", "quail", "raven", "seal", "sparrow", "stork", "tapir", "tiger", "toucan", "walrus",
    "wolverine",
  ]

  static func make() -> String {
    let adjective = adjectives[Random.below(adjectives.count)]
    let animal = animals[Random.below(animals.count)]
    return "\(adjective)-\(animal)"
  }
}
