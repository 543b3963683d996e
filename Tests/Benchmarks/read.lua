-- Reads READ_PATH with a key.
local path = os.getenv("READ_PATH")
local headers = { ["Authorization"] = "Bearer " .. os.getenv("KEY") }

function request()
  return wrk.format("GET", path, headers)
end
