import JSON
import Testing

@testable import HTTP

@Test("a problem has all its members, in the order of the standard")
func problemMembers() {
    let problem = Problem(
        422, "validation_failed", detail: "The lead is not valid.",
        errors: [.init(pointer: "/email", code: "invalid_email", detail: "No \"@\".")],
        headers: [("Retry-After", "1")], members: [("allowed", ["won", "lost"])])
    let response = problem.response(requestID: "req_1")
    #expect(response.status == 422)
    #expect(response.header("content-type") == "application/problem+json")
    #expect(response.header("retry-after") == "1")
    #expect(
        String(decoding: response.body, as: UTF8.self)
            == #"{"type":"about:blank","title":"Unprocessable Content","status":422,"#
            + #""detail":"The lead is not valid.","code":"validation_failed","request_id":"req_1","#
            + #""errors":[{"pointer":"/email","code":"invalid_email","detail":"No \"@\"."}],"#
            + #""allowed":["won","lost"]}"#)
}

@Test("a problem leaves out what it has not")
func problemMinimum() {
    let response = Problem(404, "not_found").response(requestID: "r")
    #expect(
        String(decoding: response.body, as: UTF8.self)
            == #"{"type":"about:blank","title":"Not Found","status":404,"code":"not_found","#
            + #""request_id":"r"}"#)
}
