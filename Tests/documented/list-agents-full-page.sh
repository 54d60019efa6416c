curl -X GET -H "x-api-key: YOUR_API_KEY" \
"https://api.xpander.ai/v1/agents/full?page=1&per_page=2"
