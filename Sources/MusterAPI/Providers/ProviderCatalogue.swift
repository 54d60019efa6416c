import MusterJSON

/// The providers of models that are documented, and their best-known models: data, not what can be reached.
///
/// A model that is not here may be named all the same. A provider whose models have the names that its customers gave
/// them, or none that are known for sure, has an empty list. Tiers: 1 is standard, 2 is premium.
enum ProviderCatalogue {
  /// The providers, each an object with its models.
  static let providers: [JSON] = {
    do throws(JSONError) {
      return try JSON.parse(text.withUTF8Buffer { Array($0) }).elements
    } catch {
      // A test parses the text; this is never reached.
      return []
    }
  }()

  /// A provider by the name that an agent's `model_provider` has; nil when there is none.
  static func provider(_ identifier: String) -> JSON? {
    providers.first { $0["internal_identifier"]?.isString(identifier) ?? false }
  }

  private static let text: StaticString = """
    [
      {"internal_identifier":"openai","name":"OpenAI","description":"Models of OpenAI. Runs in this version.","models":[
        {"model_id":"gpt-5","display_name":"GPT-5","tier":2,"description":"Reasoning and agents."},
        {"model_id":"gpt-5-mini","display_name":"GPT-5 mini","tier":1,"description":"A smaller GPT-5."},
        {"model_id":"gpt-5-nano","display_name":"GPT-5 nano","tier":1,"description":"The smallest GPT-5."},
        {"model_id":"gpt-4.1","display_name":"GPT-4.1","tier":1,"description":"General use; what new agents have."},
        {"model_id":"gpt-4.1-mini","display_name":"GPT-4.1 mini","tier":1,"description":"A smaller GPT-4.1."},
        {"model_id":"gpt-4.1-nano","display_name":"GPT-4.1 nano","tier":1,"description":"The smallest GPT-4.1."},
        {"model_id":"gpt-4o","display_name":"GPT-4o","tier":1,"description":"Text and images."},
        {"model_id":"gpt-4o-mini","display_name":"GPT-4o mini","tier":1,"description":"A smaller GPT-4o."},
        {"model_id":"o3","display_name":"o3","tier":2,"description":"Reasoning."},
        {"model_id":"o4-mini","display_name":"o4-mini","tier":1,"description":"Reasoning, smaller."}]},
      {"internal_identifier":"openai_compatible","name":"OpenAI-compatible server","description":"Any server that speaks \
    OpenAI's chat completions, at the agent's llm_api_base. Runs in this version.","models":[]},
      {"internal_identifier":"anthropic","name":"Anthropic","description":"Claude models.","models":[
        {"model_id":"claude-opus-4-1","display_name":"Claude Opus 4.1","tier":2,"description":null},
        {"model_id":"claude-sonnet-4-6","display_name":"Claude Sonnet 4.6","tier":1,"description":null},
        {"model_id":"claude-sonnet-4-5","display_name":"Claude Sonnet 4.5","tier":1,"description":null},
        {"model_id":"claude-haiku-4-5","display_name":"Claude Haiku 4.5","tier":1,"description":null}]},
      {"internal_identifier":"gemini","name":"Google Gemini","description":"Gemini models.","models":[
        {"model_id":"gemini-2.5-pro","display_name":"Gemini 2.5 Pro","tier":2,"description":null},
        {"model_id":"gemini-2.5-flash","display_name":"Gemini 2.5 Flash","tier":1,"description":null},
        {"model_id":"gemini-2.5-flash-lite","display_name":"Gemini 2.5 Flash-Lite","tier":1,"description":null}]},
      {"internal_identifier":"google_ai_studio","name":"Google AI Studio","description":"Gemini models with a key of \
    AI Studio.","models":[
        {"model_id":"gemini-2.5-pro","display_name":"Gemini 2.5 Pro","tier":2,"description":null},
        {"model_id":"gemini-2.5-flash","display_name":"Gemini 2.5 Flash","tier":1,"description":null},
        {"model_id":"gemini-2.5-flash-lite","display_name":"Gemini 2.5 Flash-Lite","tier":1,"description":null}]},
      {"internal_identifier":"amazon_bedrock","name":"Amazon Bedrock","description":"Models of several makers on \
    AWS.","models":[
        {"model_id":"anthropic.claude-3-5-sonnet-20241022-v2:0","display_name":"Claude 3.5 Sonnet v2","tier":2,\
    "description":null},
        {"model_id":"amazon.nova-pro-v1:0","display_name":"Amazon Nova Pro","tier":1,"description":null},
        {"model_id":"amazon.nova-lite-v1:0","display_name":"Amazon Nova Lite","tier":1,"description":null}]},
      {"internal_identifier":"azure_ai_foundary","name":"Azure AI Foundry","description":"Deployments of one's own on \
    Azure; the model is the name of the deployment.","models":[]},
      {"internal_identifier":"nim","name":"NVIDIA NIM","description":"Open models on NVIDIA's service.","models":[
        {"model_id":"meta/llama-3.3-70b-instruct","display_name":"Llama 3.3 70B Instruct","tier":1,"description":null},
        {"model_id":"meta/llama-3.1-8b-instruct","display_name":"Llama 3.1 8B Instruct","tier":1,"description":null}]},
      {"internal_identifier":"fireworks","name":"Fireworks AI","description":"Open models on Fireworks.","models":[
        {"model_id":"accounts/fireworks/models/llama-v3p3-70b-instruct","display_name":"Llama 3.3 70B Instruct",\
    "tier":1,"description":null}]},
      {"internal_identifier":"huggingFace","name":"Hugging Face","description":"Open models behind Hugging Face's \
    inference service.","models":[
        {"model_id":"meta-llama/Llama-3.3-70B-Instruct","display_name":"Llama 3.3 70B Instruct","tier":1,\
    "description":null},
        {"model_id":"Qwen/Qwen2.5-72B-Instruct","display_name":"Qwen2.5 72B Instruct","tier":1,"description":null}]},
      {"internal_identifier":"friendlyAI","name":"FriendliAI","description":"Open models on FriendliAI.","models":[
        {"model_id":"meta-llama-3.3-70b-instruct","display_name":"Llama 3.3 70B Instruct","tier":1,\
    "description":null}]},
      {"internal_identifier":"nebius","name":"Nebius","description":"Open models on Nebius.","models":[
        {"model_id":"meta-llama/Llama-3.3-70B-Instruct","display_name":"Llama 3.3 70B Instruct","tier":1,\
    "description":null}]},
      {"internal_identifier":"open_router","name":"OpenRouter","description":"Models of many makers behind one \
    key.","models":[
        {"model_id":"openai/gpt-4.1","display_name":"GPT-4.1","tier":1,"description":null},
        {"model_id":"anthropic/claude-sonnet-4.5","display_name":"Claude Sonnet 4.5","tier":1,"description":null},
        {"model_id":"google/gemini-2.5-pro","display_name":"Gemini 2.5 Pro","tier":2,"description":null}]},
      {"internal_identifier":"helicone","name":"Helicone","description":"A gateway to models of many makers.","models":[
        {"model_id":"gpt-4o","display_name":"GPT-4o","tier":1,"description":null},
        {"model_id":"gpt-4o-mini","display_name":"GPT-4o mini","tier":1,"description":null}]},
      {"internal_identifier":"cloudflare_ai_gw","name":"Cloudflare AI Gateway","description":"A gateway of one's own on \
    Cloudflare; the models are those behind it.","models":[]},
      {"internal_identifier":"z_ai","name":"Z.AI","description":"GLM models.","models":[
        {"model_id":"glm-4.6","display_name":"GLM-4.6","tier":1,"description":null},
        {"model_id":"glm-4.5","display_name":"GLM-4.5","tier":1,"description":null},
        {"model_id":"glm-4.5-air","display_name":"GLM-4.5-Air","tier":1,"description":null}]},
      {"internal_identifier":"bytedance","name":"ByteDance","description":"Models on BytePlus ModelArk.","models":[]},
      {"internal_identifier":"tzafon_lightcone","name":"Tzafon Lightcone","description":"Models of Tzafon.","models":[]}
    ]
    """
}
